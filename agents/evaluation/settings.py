"""How an evaluation is done, and of what."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.evaluation.commanded_policy import CommandedWeights
from agents.evaluation.figures import RunLabel
from agents.evaluation.rollouts import SkillPolicy
from envs.vector_world import VectorWorld
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec

WorldFactory = Callable[[int, int], VectorWorld]
"""Makes so many worlds, seeded with the second number."""


@dataclass(frozen=True)
class Scales:
    """Lengths that an evaluation is measured with, in metres."""

    cell_size: float
    """Side of a coverage cell."""
    goal_radii: tuple[float, ...]
    """Distances that count as reached."""


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of an evaluation. Raises ValueError naming a setting that is out of range."""

    rollouts: int = 48
    """Deterministic episodes, spread over the skills; METRA's protocol takes 48."""
    episodes_per_skill: int = 16
    """Deterministic episodes of each discrete skill, and 16 times as many of continuous skills,
    for I(S;Z) and what becomes of objects and safety; at least 8, or 0, which leaves I(S;Z) out."""
    goals: int = 50
    """Goals of the goal-reaching test; 0 leaves it out."""
    goal_radii: tuple[float, ...] | None = None
    """Distances in metres that count as reached; None: one and three coverage cells of the task."""
    cell_size: float | None = None
    """Side of a coverage cell in metres; None: the task's."""
    video: bool = True
    """Record a video where OpenGL works."""
    video_tiles: int = 16
    """Worlds in the video at most."""
    video_frames: int = 60
    """Pictures in the video, about."""
    seed: int = 0
    """Seed of the worlds, the skills, the goals and the bootstrap."""

    def __post_init__(self) -> None:
        for name, least in (
            ("rollouts", 1), ("goals", 0), ("video_tiles", 1), ("video_frames", 1), ("seed", 0),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.episodes_per_skill != 0 and self.episodes_per_skill < 8:
            raise ValueError(
                f"episodes_per_skill must be 0 or at least 8, got {self.episodes_per_skill}"
            )
        cells = () if self.cell_size is None else (self.cell_size,)
        for name, values in (("cell_size", cells), ("goal_radii", self.goal_radii or ())):
            if not all(0 < value < math.inf for value in values):
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.goal_radii == ():
            raise ValueError("goal_radii must name a distance; goals=0 leaves goals out")

    def scales(self, coverage_cell: float) -> Scales:
        """The lengths to use in a task whose own cells have sides of `coverage_cell` metres."""
        radii = self.goal_radii or (coverage_cell, 3 * coverage_cell)
        return Scales(self.cell_size or coverage_cell, radii)


@dataclass(frozen=True)
class Subject:
    """The agent to evaluate, and where it acts."""

    policy: SkillPolicy
    skill: SkillSpec
    rewards: Mapping[str, IntrinsicReward]
    make_world: WorldFactory
    label: RunLabel
    coverage_cell: float = 1.0
    """Side in metres of the task's coverage cells."""
    weights: CommandedWeights | None = None
    """What the policy was told of the weights of its rewards; None where they are fixed."""
