"""What a film is, and what is asked of those who make films."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    import mujoco

    from envs.backends.batch import BatchWorld
    from envs.pixels.base import PixelRenderer

Film = UInt8[np.ndarray, "T H W 3"]
"""Frame t is shown at the film's control step t."""
MakeFilm = Callable[[np.random.Generator, int, int, int], Film]
"""Random source, frames, height and width to a film."""


@dataclass(frozen=True)
class Stage:
    """The agent's own task, for films that show it."""

    model: mujoco.MjModel
    camera: int
    """Index of the agent's camera, -1 for the free one."""
    make_world: Callable[..., BatchWorld]
    """Takes `num_envs` and `extra_fields`."""
    make_renderer: Callable[[int, int], PixelRenderer]
    """Takes height and width; the camera is the agent's."""


@dataclass(frozen=True)
class FilmRequest:
    """A bank to be made."""

    sources: Sequence[np.random.Generator]
    """One for each film, which it depends on alone."""
    steps: int
    """Frames of a film; of a video, at most."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    stage: Stage
    folder: str | None
    """Of videos."""
    evaluation: bool
    """Whether the films are those kept for evaluation."""
    eval_share: float
    """Share of the videos that are kept for evaluation."""
    folder_seed: int
    """Decides which videos those are."""
    least_steps: int
    """A video with fewer frames is refused."""


def one_by_one(make: MakeFilm) -> Callable[[FilmRequest], list[Film]]:
    """Make every film of a request with `make`, whose description it keeps."""

    @functools.wraps(make)
    def films(request: FilmRequest) -> list[Film]:
        size = request.steps, request.height, request.width
        return [make(source, *size) for source in request.sources]

    return films
