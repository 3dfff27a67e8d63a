"""How pictures become observations."""

from __future__ import annotations

from dataclasses import dataclass, field

from envs.pixels.distractors.settings import DistractorSettings
from envs.pixels.registry import DEFAULT_RENDERER


@dataclass(frozen=True)
class PixelSettings:
    """Settings of a world that is observed through pictures."""

    renderer: str = DEFAULT_RENDERER
    """`numba` needs no OpenGL; `gl` is MuJoCo's, tuned; `exact` draws dm_control's very pixels."""
    height: int = 64
    """Of a picture, pixels."""
    width: int = 64
    """Of a picture, pixels."""
    camera: int | str | None = None
    """Name or index, -1 for the free camera; None for the first one."""
    frame_stack: int = 3
    """Latest pictures in an observation, at least 1."""
    action_repeat: int = 1
    """Control steps with the same action between two observations, at least 1."""
    state: bool = False
    """Whether observations are a Dict of `pixels` and the task's own `state`."""
    distractors: DistractorSettings = field(default_factory=DistractorSettings)
    """What is shown behind the agent, and what changes from episode to episode; off by default."""

    def __post_init__(self) -> None:
        for name in ("height", "width", "frame_stack", "action_repeat"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        self.distractors.window_size(self.height, self.width)
