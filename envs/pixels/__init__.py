"""Pictures of many worlds as observations."""

from __future__ import annotations

from envs.pixels.base import PixelRenderer
from envs.pixels.fields import stack_fields
from envs.pixels.registry import DEFAULT_RENDERER, describe_renderers, make_renderer
from envs.pixels.settings import PixelSettings

__all__ = [
    "DEFAULT_RENDERER",
    "PixelRenderer",
    "PixelSettings",
    "describe_renderers",
    "make_renderer",
    "stack_fields",
]
