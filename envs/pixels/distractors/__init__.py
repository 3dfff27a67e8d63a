"""Films behind the agent, and cameras and colours that change from episode to episode."""

from __future__ import annotations

from envs.pixels.distractors.registry import describe_distractors
from envs.pixels.distractors.settings import DistractorSettings

__all__ = ["DistractorSettings", "describe_distractors"]
