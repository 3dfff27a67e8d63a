"""Settings of a controller over frozen skills."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HierarchyConfig:
    """Which skills the agent chooses from, and for how long each acts.

    With skills, an action of the learner is a skill, and one decision takes `steps` env steps.
    Everything that counts env steps still counts those of the world, while the replay and the
    learner's `n_step` and `rollout_length` count decisions. Discounts are per env step, so that
    one decision discounts by `discount ** steps`, as options do (Sutton, Precup and Singh, 1999).

    Raises ValueError if `steps` is below 1, or for a setting of skills where there are none.
    """

    skills: str | None = None
    """Run folder of an agent with skills: the learner chooses among them instead of acting. The
    skills are frozen, and copied into the folder of this run."""
    steps: int = 10
    """Env steps that a chosen skill acts for; fewer where the episode ends. Few let the learner
    correct what a skill does to a thing that it pushes; many suit skills that move a body."""
    sample: bool = False
    """Let the frozen policy draw its actions instead of taking their mode, which for a policy that
    learned with entropy can stop where its noise would carry it on."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"hierarchy.steps must be at least 1, got {self.steps}")
        if self.skills is None:
            for name, default in (("steps", HierarchyConfig.steps), ("sample", False)):
                if getattr(self, name) != default:
                    raise ValueError(f"hierarchy.{name} needs --hierarchy.skills RUN_FOLDER")
