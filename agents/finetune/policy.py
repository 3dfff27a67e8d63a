"""A policy with skills that always follows the same one."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from agents.evaluation.rollouts import SkillPolicy
from agents.finetune.choice import SkillChoice


class HeldSkillPolicy:
    """Acts as `policy` with the best skill of a choice: to those who watch, it has no skills."""

    def __init__(self, policy: SkillPolicy, choice: SkillChoice) -> None:
        self.device = policy.device
        self._policy = policy
        self._choice = choice

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N _"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]; `skill` is not read."""
        held = self._choice.held.to(self.device).expand(len(obs), -1)
        return self._policy.act(obs, held, deterministic)
