"""The reward that the environment itself pays."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.rewards.base import IntrinsicReward, RewardConfig, RewardContext
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class TaskConfig(RewardConfig):
    """Settings of the task reward."""

    scale: float = 1.0
    """Factor on the environment's reward."""


class TaskReward(IntrinsicReward):
    """The task reward as one critic among others; learns nothing."""

    def __init__(
        self, context: RewardContext, config: TaskConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context)
        self.config = config

    def forward(self, batch: Transitions) -> Float[Tensor, B]:
        """`scale` times the reward of the environment."""
        return self.config.scale * batch.reward
