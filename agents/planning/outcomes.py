"""What came of the episodes of one way to choose skills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from agents.evaluation.rollouts import Rollouts
from agents.evaluation.statistics import mean_interval, rate_interval
from agents.planning.aim import SUCCESS, Aim
from agents.planning.goals import DrawnGoals


@dataclass(frozen=True)
class Outcomes:
    """N episodes of one method."""

    places: Float[np.ndarray, "N T1 P"]
    """Path of the thing to be moved, m."""
    goal: Float[np.ndarray, "N P"]
    """Where it shall be, m."""
    success: Bool[np.ndarray, "N T1"]
    """Whether it is there."""
    returns: Float[np.ndarray, " N"]
    """Sums of the task's rewards."""

    @property
    def distance(self) -> Float[np.ndarray, "N T1"]:
        """Distance from the goal, m."""
        return np.linalg.norm(self.places - self.goal[:, None], axis=-1)


def outcomes_of(
    rollouts: Rollouts, aim: Aim, drawn: DrawnGoals | None, radius: float | None
) -> Outcomes:
    """The outcomes of episodes; `radius` None takes the task's own word for success.

    Raises ValueError if neither tells what success is.
    """
    places = aim.places(rollouts.signals)
    if aim.goal is not None:
        goal = rollouts.signals[aim.goal][:, 0].astype(np.float32)
    else:
        assert drawn is not None
        goal = drawn.place
    if radius is not None:
        success = np.linalg.norm(places - goal[:, None], axis=-1) <= radius
    elif SUCCESS in rollouts.signals:
        success = rollouts.signals[SUCCESS][..., 0] > 0
    else:
        raise ValueError("these worlds do not tell success: give --radius in m")
    return Outcomes(places, goal, success, rollouts.returns)


def summarise_outcomes(found: Outcomes, seed: int) -> dict[str, Any]:
    """Figures with 95% intervals, distances in m.

    `success` is the share of episodes that succeed at some step, and `success_at_end` at the last
    one, among those that do not begin in success (None where all do), with Wilson's interval.
    """
    away = ~found.success[:, 0]
    count = int(away.sum())
    reached, last = found.success[away].any(axis=1), found.success[away, -1]
    distance = found.distance.astype(np.float64)
    return {
        "episodes": len(away),
        "success": asdict(rate_interval(int(reached.sum()), count)) if count else None,
        "success_at_end": asdict(rate_interval(int(last.sum()), count)) if count else None,
        "initial_distance_m": asdict(mean_interval(distance[:, 0], seed)),
        "closest_distance_m": asdict(mean_interval(distance.min(axis=1), seed)),
        "final_distance_m": asdict(mean_interval(distance[:, -1], seed)),
        "return": asdict(mean_interval(found.returns, seed)),
    }


def nearer_than(
    found: Mapping[str, Outcomes], method: str, baseline: str, seed: int
) -> dict[str, Any]:
    """How much nearer to the goal, in m, `method` ends: paired, for starts and goals are equal."""
    gap = found[baseline].distance[:, -1] - found[method].distance[:, -1]
    return asdict(mean_interval(gap.astype(np.float64), seed))
