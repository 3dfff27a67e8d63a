"""What the adapter asks of a single world, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8


class UnsuitableEnvError(ValueError):
    """The env exists, but the adapter cannot run it; the message names the way out."""


def closed_error(reason: str) -> RuntimeError:
    """What a request to worlds that were closed, or that failed, is answered with."""
    return RuntimeError(f"these worlds are closed ({reason}): make them anew")


Signals = dict[str, Float[np.ndarray, "d"]]


@dataclass(frozen=True)
class WorldSpec:
    """The shape of a world: all that must be known before it moves."""

    observation_space: gymnasium.spaces.Box
    """Of shape (D,)."""
    action_space: gymnasium.spaces.Box
    """Of shape (A,)."""
    signal_dims: Mapping[str, int]
    """Width of every side signal, in the order in which they are reported."""
    max_episode_steps: int | None
    """Control steps until truncation; None for never."""


class Step(NamedTuple):
    """What one control step of one world gave."""

    observation: Float[np.ndarray, "D"]
    signals: Signals
    reward: float
    terminated: bool
    truncated: bool


class SingleWorld(Protocol):
    """One world; its first episode has begun when it is made."""

    @property
    def spec(self) -> WorldSpec:
        """The world's shape."""

    def reset(self, seed: int | None) -> tuple[Float[np.ndarray, "D"], Signals]:
        """Begin an episode, from `seed` unless it is None.

        The first call does not repeat the reset that making the world needed, if the seed is the
        same or None.
        """

    def step(self, action: Float[np.ndarray, "A"]) -> Step:
        """Take one control step."""

    def picture(self, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
        """Draw the world, or raise RenderingError."""

    def state_dict(self) -> dict[str, Any]:
        """All that changes, or NotImplementedError where the world does not give it away."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`."""

    def close(self) -> None:
        """Free what the world holds."""


class Recipe(Protocol):
    """How to make a world, in any process: recipes are sent to workers."""

    def make(self, seed: int | None) -> SingleWorld:
        """Make a world whose first episode is drawn from `seed`; None lets the system choose."""

    def check_transport(self) -> None:
        """Raise UnsuitableEnvError if a worker process could not be sent this recipe."""


def flat_box(space: Any, role: str, spec_id: str) -> gymnasium.spaces.Box:
    """`space` as a Box of shape (D,) in its own dtype.

    Raises:
        UnsuitableEnvError: if it is not a Box, or an action Box of integers, naming the way out.
    """
    if not isinstance(space, gymnasium.spaces.Box):
        raise UnsuitableEnvError(
            f"{spec_id} has {role} space {space}: only Box is supported; wrap the env (for example "
            "in gymnasium.wrappers.FlattenObservation), register the wrapped env and use its id"
        )
    if role == "action" and space.dtype.kind != "f":
        raise UnsuitableEnvError(
            f"{spec_id} has actions of {space.dtype}: only a Box of floats is supported"
        )
    return gymnasium.spaces.Box(space.low.ravel(), space.high.ravel(), dtype=space.dtype.type)
