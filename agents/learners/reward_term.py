"""A reward together with its place in the objective."""

from __future__ import annotations

from dataclasses import dataclass

from rl_info.rewards.base import IntrinsicReward, RewardConfig


@dataclass(frozen=True)
class RewardTerm:
    """One reward of an agent, to which one critic belongs.

    Raises ValueError for a negative weight (negate the reward instead), a discount outside [0, 1)
    or a learning rate that is not positive.
    """

    module: IntrinsicReward
    """Values the steps and may learn to do so."""
    config: RewardConfig
    """Weight, discount, normalisation and learning rate."""

    def __post_init__(self) -> None:
        if self.config.weight < 0:
            raise ValueError(f"a reward's weight must not be negative, got {self.config.weight}")
        if not 0 <= self.config.discount < 1:
            raise ValueError(f"a discount must be in [0, 1), got {self.config.discount}")
        if self.config.learning_rate <= 0:
            raise ValueError(f"a learning rate must be positive, got {self.config.learning_rate}")
