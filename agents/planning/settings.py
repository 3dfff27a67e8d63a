"""How planning with the skills of a run is done and measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agents.planning.fit import FitConfig
from agents.planning.planners import PlannerConfig, PlannerName
from agents.training.config import OptionValue

ModelName = Literal["learned", "simulator"]
DEFAULT_SAMPLES: Mapping[ModelName, int] = {"learned": 256, "simulator": 32}
DEFAULT_ITERATIONS: Mapping[ModelName, int] = {"learned": 4, "simulator": 2}


@dataclass(frozen=True)
class PlanConfig:
    """Settings of planning. Raises ValueError naming a setting that is out of range."""

    env: str | None = None
    """Environment to plan in, whose robot is that of the run; None: the run's own."""
    env_options: Mapping[str, OptionValue] = field(default_factory=dict)
    """Options of the task as pairs, in addition to the run's own in its own environment."""
    max_episode_steps: int | None = None
    """Steps after which an episode is truncated; None: as in the run, or as the task has it."""
    model: ModelName = "learned"
    """What foresees: skill dynamics learned from rollouts, or the simulator itself."""
    planner: PlannerName = "mppi"
    """How sequences of skills are found."""
    skill_steps: int = 10
    """Env steps for which a skill is held, and between plans."""
    horizon: int = 5
    """Skills that a plan looks ahead, or fewer where the episode ends before."""
    samples: int | None = None
    """Sequences tried in each iteration; None: 256, or 32 with the simulator."""
    iterations: int | None = None
    """Rounds of drawing, judging and fitting at each decision; None: 4, or 2 with the simulator."""
    temperature: float = 0.1
    """MPPI: λ in standard deviations of the sampled costs; small follows the best samples only."""
    elite_share: float = 0.1
    """CEM: share of the samples that the distribution is fitted to."""
    noise: float = 0.5
    """Standard deviation of continuous skills drawn around a plan; skills have length 1."""
    episodes: int = 100
    """Episodes of each method, all at the same time, with the same starts and goals."""
    radius: float | None = None
    """Distance in m that counts as success; None: the task's own success, or a coverage cell."""
    collect_steps: int = 100_000
    """Env steps of rollouts under random skills that skill dynamics are learned from."""
    num_envs: int = 64
    """Worlds that are stepped together while collecting."""
    dynamics: FitConfig = field(default_factory=FitConfig)
    """How skill dynamics are learned."""
    dynamics_file: str | None = None
    """Weights (dynamics.safetensors) of an earlier plan, to use instead of learning anew."""
    num_threads: int = 0
    """Threads that step the worlds; 0 for one a core."""
    seed: int = 0
    """Seed of worlds, goals, skills, model and planner."""

    def __post_init__(self) -> None:
        optional = {"max_episode_steps", "samples", "iterations"}
        for name in (
            "skill_steps", "horizon", "episodes", "collect_steps", "num_envs", *sorted(optional),
        ):  # fmt: skip
            value = getattr(self, name)
            if (value is None and name not in optional) or (value is not None and value < 1):
                raise ValueError(f"{name} must be at least 1, got {value}")
        for name in ("seed", "num_threads"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("noise", "radius"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be positive, got {value}")
        if self.dynamics_file is not None and self.model != "learned":
            raise ValueError("dynamics_file holds learned dynamics: use it with model 'learned'")
        self.search()

    def search(self) -> PlannerConfig:
        """The planner's part, with the defaults that suit the model."""
        return PlannerConfig(
            samples=DEFAULT_SAMPLES[self.model] if self.samples is None else self.samples,
            iterations=(
                DEFAULT_ITERATIONS[self.model] if self.iterations is None else self.iterations
            ),
            temperature=self.temperature,
            elite_share=self.elite_share,
        )
