"""Safety: keep off the limits, the reward of SLIM that punishes violations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.rewards.base import IntrinsicReward, RewardConfig, RewardContext
from rl_info.transitions import Transitions

VIOLATION = "violation"


@dataclass(frozen=True)
class SafetyConfig(RewardConfig):
    """Settings of the safety reward."""


class Safety(IntrinsicReward):
    """r = −violation after the step, summed over its parts if it has several; learns nothing.

    A violation is 0 within all limits and grows with how far they are passed; its unit is the
    environment's. As one critic among others (SLIM, arXiv 2402.00823) its weight trades caution
    for skill; it is no guarantee that limits are kept.
    """

    requires: tuple[str, ...] = (VIOLATION,)

    def __init__(
        self, context: RewardContext, config: SafetyConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context)
        self.config = config

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """−violation of each step: 0 at best."""
        return -batch.next_signals[VIOLATION].reshape(len(batch.obs), -1).sum(dim=-1).float()
