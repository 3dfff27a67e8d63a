"""Renderers by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import mujoco

from envs.pixels.base import PixelRenderer
from envs.pixels.optics import Camera

DEFAULT_RENDERER = "numba"


def _numba(model: mujoco.MjModel, *sizes: Any, **options: Any) -> PixelRenderer:
    """No OpenGL: rays at planes, spheres, capsules, ellipsoids, cylinders and boxes."""
    # Here, because numba is slow to import and drawing with OpenGL needs none of it.
    from envs.pixels.numba_renderer import NumbaRenderer

    return NumbaRenderer(model, *sizes, **options)


def _gl(model: mujoco.MjModel, *sizes: Any, **options: Any) -> PixelRenderer:
    """MuJoCo's OpenGL, without shadows, mirrors and smooth edges, for speed."""
    from envs.pixels.gl_renderer import FAST, GLRenderer

    return GLRenderer(model, *sizes, settings=FAST, **options)


def _exact(model: mujoco.MjModel, *sizes: Any, **options: Any) -> PixelRenderer:
    """The very pixels of dm_control's physics.render."""
    from envs.pixels.gl_renderer import EXACT, GLRenderer

    return GLRenderer(model, *sizes, settings=EXACT, **options)


RENDERERS: Mapping[str, Callable[..., PixelRenderer]] = {
    "numba": _numba,
    "gl": _gl,
    "exact": _exact,
}


def describe_renderers() -> dict[str, str]:
    """Name to one line of description of every renderer."""
    return {name: (make.__doc__ or "").partition("\n")[0] for name, make in RENDERERS.items()}


def make_renderer(
    name: str,
    model: mujoco.MjModel,
    height: int = 64,
    width: int = 64,
    camera: Camera = None,
    **options: Any,
) -> PixelRenderer:
    """Make a renderer by name.

    Args:
        name: `numba`, `gl` or `exact`.
        model: What to draw.
        height: Of a picture, pixels.
        width: Of a picture, pixels.
        camera: Name or index, -1 for the free camera; None for the first one.
        **options: Further arguments of the renderer, such as `shadows=False` of `numba`.

    Raises:
        ValueError: for an unknown name, camera or size, or a model that it cannot draw.
    """
    if name not in RENDERERS:
        close = difflib.get_close_matches(name, RENDERERS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ValueError(f"no renderer {name!r}: {hint}there are {', '.join(RENDERERS)}")
    return RENDERERS[name](model, height, width, camera, **options)
