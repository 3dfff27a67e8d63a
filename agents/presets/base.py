"""What a preset is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.learners.network_config import NetworkConfig
from rl_info.rewards import RewardConfig
from rl_info.skills import SkillSpec


@dataclass(frozen=True)
class Preset:
    """An agent by name: a learner, a skill variable and named rewards with one critic each."""

    name: str
    """Name on the command line."""
    description: str
    """One line for a list."""
    skill: SkillSpec
    """Skill variable that the policy is conditioned on."""
    rewards: Mapping[str, RewardConfig]
    """Settings of each reward, under its name in the registry of rewards."""
    learner: NetworkConfig
    """Settings of the learning algorithm."""
    training: Mapping[str, Any]
    """Fields of `TrainConfig` whose defaults differ for this agent."""
