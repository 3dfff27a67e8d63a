"""The state that actor and critics see."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn import RunningNormaliser


class StateVector:
    """The observation, standardised if asked for, then the skill, then a constant 1.

    The constant gives first layers their bias. Where weights are commanded, their columns are the
    last of the skill and count in `skill_dim`.
    """

    def __init__(self, obs_dim: int, skill_dim: int, normalise: bool, device: torch.device) -> None:
        self.width = obs_dim + skill_dim + 1
        self.normaliser = RunningNormaliser(obs_dim).to(device)
        self.holds = False
        """Whether mean and variance stay as they are, whatever is observed."""
        self._normalises = normalise
        self._one = torch.ones(1, 1, device=device)

    def observe(self, obs: Float[Tensor, "N O"]) -> None:
        """Let newly collected observations count in the running mean and variance."""
        if self._normalises and not self.holds:
            self.normaliser.observe(obs.to(self._one.device))

    def __call__(
        self, obs: Float[Tensor, "B O"], skill: Float[Tensor, "B Z"]
    ) -> Float[Tensor, "B X"]:
        """The states of a batch."""
        if self._normalises:
            obs = self.normaliser(obs)
        return torch.cat([obs, skill, self._one.expand(len(obs), 1)], dim=-1)
