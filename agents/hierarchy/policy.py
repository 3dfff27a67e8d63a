"""A controller and its skills as one policy of single env steps, for evaluation."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from agents.evaluation.rollouts import SkillPolicy
from agents.hierarchy.skills import SkillsInWorld


class HierarchicalPolicy:
    """Chooses a skill at the first step of an episode and every `steps` steps, and acts with it.

    It acts in worlds of the task itself, whose episodes begin together: what is recorded of them,
    pictures and videos too, is of every env step. `begin` must be called before each of them.
    """

    def __init__(
        self, controller: SkillPolicy, skills: SkillsInWorld, steps: int, *, sample: bool = False
    ) -> None:
        self.device = controller.device
        self._controller = controller
        self._skills = skills
        self._steps = steps
        self._noise = torch.Generator() if sample else None
        self.begin()

    def begin(self) -> None:
        """Forget everything: new episodes begin in all worlds, with the same noise as ever."""
        self._elapsed = 0
        self._skill = torch.empty(0)
        if self._noise is not None:
            self._noise.manual_seed(0)

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]; `skill` and `deterministic` are for the controller."""
        if self._elapsed % self._steps == 0:
            self._skill = self._skills.choose(self._controller.act(obs, skill, deterministic))
        self._elapsed += 1
        return self._skills.act(obs, self._skill, self._noise)
