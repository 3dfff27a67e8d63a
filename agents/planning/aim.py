"""What shall be brought where: the place that planning cares about, and its goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from agents.evaluation.coverage import AXES
from agents.evaluation.objects import OBJECTS
from agents.evaluation.rollouts import POSITION
from envs.vector_world import VectorWorld

GOAL = "goal_position"
SUCCESS = "success"


@dataclass(frozen=True)
class Aim:
    """The first `width` numbers of the side signal `place`, in metres, shall be at a goal."""

    place: str
    width: int
    goal: str | None
    """Side signal with the goal of each world; None where goals are drawn."""

    def places(self, signals: Mapping[str, Float[np.ndarray, "*N D"]]) -> Float[np.ndarray, "*N P"]:
        """Where things are, m, float32."""
        return np.asarray(signals[self.place][..., : self.width], dtype=np.float32)


def find_aim(world: VectorWorld) -> Aim:
    """The aim that the world's side signals allow.

    The first object at the goal of the task where it has one; else the place on the floor. Raises
    ValueError for a world with neither.
    """
    dims = world.signal_dims
    if GOAL in dims and OBJECTS in dims:
        return Aim(OBJECTS, dims[GOAL], GOAL)
    if POSITION in dims:
        return Aim(POSITION, min(dims[POSITION], AXES), None)
    known = ", ".join(sorted(dims)) or "none"
    raise ValueError(
        f"{world.spec_id} has no place to bring to a goal: planning needs the side signals "
        f"{GOAL!r} and {OBJECTS!r}, or {POSITION!r}; it has: {known}"
    )


@dataclass(frozen=True)
class GoalDistance:
    """Cost of a plan: mean distance from the goal after its skills, plus the last distance, m.

    The mean rewards being early; the last counts most, because a plan goes on from there.
    """

    goal: Float[Tensor, "B P"]

    def __call__(
        self, places: Float[Tensor, "M B S H P"], skills: Float[Tensor, "B S H Z"]
    ) -> Float[Tensor, "M B S"]:
        """Cost of each sequence, for each member of the model."""
        distance = (places - self.goal[:, None, None]).norm(dim=-1)
        return distance.mean(dim=-1) + distance[..., -1]


@dataclass(frozen=True)
class PlanningState:
    """B worlds at the moment of a decision."""

    full_obs: Float[Tensor, "B F"]
    """The observation of the task."""
    obs: Float[Tensor, "B O"]
    """The part of it that the frozen policy reads."""
    place: Float[Tensor, "B P"]
    """Where the thing to be moved is, m."""
