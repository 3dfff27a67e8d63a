"""Settings of an agent that starts from the policy of another run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True)
class FinetuneConfig:
    """Which run the agent starts from, and which of its skills is held for the whole run.

    The learner takes over the policy and the observation normaliser, and its network sizes and
    skill must be those of that run. One skill is held from beginning to end, so that the policy has
    one task to adapt to, as in URLB (arXiv 2110.15191). By default it is the one of `candidates`
    skills that earns most of the task's reward at the start; the env steps in which they are tried
    count, and the learner learns from them afterwards. A policy without skills is taken as it is.

    The pre-trained policy acts from the first env step on: `warmup_steps` only delay the updates.

    Raises ValueError for a value out of range, or for a setting of skills where there is no run.
    """

    run: str | None = None
    """Run folder of the agent to start from; its policy is taken over and learns on."""
    choose: Literal["best", "random"] = "best"
    """Hold the candidate with the highest return of the task, or a skill drawn at random."""
    skill: tuple[float, ...] = ()
    """Hold this skill instead of choosing one: a number from 0 for discrete skills, coordinates
    (scaled to length 1) for continuous ones."""
    candidates: int | None = None
    """Skills to try, spread over the skill space; None for every discrete skill, 16 continuous
    ones, and both of the ones with one dimension."""
    trial_steps: int | None = 250
    """Env steps for which each candidate is tried, from the start of an episode until its end at
    most; None for whole episodes."""
    critics: Literal["fresh", "trunk"] = "fresh"
    """Start with fresh critics, or with the hidden layers of the critics of that run."""
    actor_rest_steps: int = 5_000
    """Env steps of learning in which only critics learn, from what the held skill does: critics
    that know nothing of it yet would lead the actor away (the unlearning at the start of
    fine-tuning that WSRL's frozen-policy warm-up of 5,000 steps prevents, arXiv 2412.07762)."""
    temperature: Literal["source", "fresh"] = "source"
    """Weigh the entropy as at the end of that run, if it did, or with the learner's initial
    temperature: a large one makes a policy forget a sparse reward to become random."""

    def __post_init__(self) -> None:
        for name, least in (("candidates", 1), ("trial_steps", 1), ("actor_rest_steps", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"finetune.{name} must be at least {least}, got {value}")
        if self.skill and self.choose == "random":
            raise ValueError("finetune.skill names the skill: leave out --finetune.choose random")
        changed = [item for item in fields(self) if getattr(self, item.name) != item.default]
        if self.run is None and changed:
            raise ValueError(f"finetune.{changed[0].name} needs --finetune.run RUN_FOLDER")
