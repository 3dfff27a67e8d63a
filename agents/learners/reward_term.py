"""A reward together with its place in the objective."""

from __future__ import annotations

from dataclasses import dataclass

from rl_info.rewards.base import IntrinsicReward, RewardConfig


@dataclass(frozen=True)
class RewardTerm:
    """One reward of an agent, to which one critic belongs."""

    module: IntrinsicReward
    """Values the steps and may learn to do so."""
    config: RewardConfig
    """Weight, discount, normalisation and learning rate."""
