"""Which skill each world follows now, under which weights, and when they change."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from agents.training.weight_commands import WeightCommands
from rl_info.skills import SkillSpec


class SkillSampler:
    """One skill a world, drawn anew at the start of each episode and every `resample_every` steps.

    `skills`, float32 (N, Z), is the skill that chooses the next action; read it before `advance`.
    With `commands`, K columns follow it that are drawn anew whenever the skill is: the command that
    tells the weights of the rewards. Raises ValueError if `resample_every` is below 1.
    """

    def __init__(
        self,
        spec: SkillSpec,
        num_worlds: int,
        generator: torch.Generator,
        resample_every: int | None = None,
        commands: WeightCommands | None = None,
    ) -> None:
        if resample_every is not None and resample_every < 1:
            raise ValueError(f"a skill lasts at least 1 step, got resample_every={resample_every}")
        self.spec = spec
        self.resample_every = resample_every
        self.generator = generator
        self.commands = commands
        self.skills: Float[Tensor, "N Z"] = self._draw(num_worlds)
        self.age = np.zeros(num_worlds, dtype=np.int64)

    def advance(self, ended: Bool[np.ndarray, " N"]) -> None:
        """Count one step in every world; draw new skills where the episode or the skill ended."""
        if self.spec.kind == "none" and self.commands is None:
            return
        self.age += 1
        due = ended
        if self.resample_every is not None:
            due = ended | (self.age >= self.resample_every)
        if not due.any():
            return
        # A new tensor, because the collector may still hold the skills that chose the last action.
        skills = self.skills.clone()
        skills[torch.from_numpy(due)] = self._draw(int(due.sum()))
        self.skills = skills
        self.age[due] = 0

    def _draw(self, count: int) -> Float[Tensor, "N Z"]:
        skill = self.spec.sample(count, self.generator)
        if self.commands is None:
            return skill
        return torch.cat([skill, self.commands.sample(count, self.generator)], dim=-1)

    def state_dict(self) -> dict[str, Any]:
        """Skills, their ages in steps, and the generator."""
        return {
            "skills": self.skills.clone(),
            "age": self.age.copy(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.skills = state["skills"].clone()
        self.age[:] = state["age"]
        self.generator.set_state(state["generator"])
