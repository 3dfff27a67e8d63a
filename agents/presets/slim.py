"""SLIM: skill discovery with multiple critics (Emukpere et al., ICRA 2024, arXiv 2402.00823)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agents.learners import PPOConfig, SACConfig
from agents.presets.base import Preset
from rl_info.rewards import RewardConfig
from rl_info.rewards.lsd import LSDConfig
from rl_info.rewards.reach import ReachConfig
from rl_info.rewards.safety import SafetyConfig
from rl_info.skills import SkillSpec

REWARDS: Mapping[str, RewardConfig] = MappingProxyType(
    {
        "lsd": LSDConfig(
            input="object_position", isotropic=True, normalise=True, learning_rate=5e-4
        ),
        "reach": ReachConfig(weight=0.25, normalise=True),
        "safety": SafetyConfig(weight=0.5, normalise=True),
    }
)
"""Skills displace the object, the hand is near it and within its limits. The paper does not print
its weights; these are ours."""

SKILL_STEPS = 25
"""A skill that always begins an episode and never takes over from another one meets only what it
did itself: it launches the object once, and a controller that switches skills gains nothing."""

TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "env": "tabletop/explore",
        "num_envs": 32,
        "total_steps": 300_000,
        "update_ratio": 0.4,
        "warmup_steps": 10_000,
        "eval_interval": 20_000,
        "checkpoint_interval": 100_000,
    }
)

SLIM = Preset(
    name="slim",
    description="skills that move objects: discovery, reach and safety, one critic each "
    "(the method is patented: US 12,393,175 B2)",
    skill=SkillSpec("continuous", 2),
    rewards=REWARDS,
    learner=SACConfig(
        actor_learning_rate=5e-4,
        critic_learning_rate=5e-4,
        temperature_learning_rate=5e-4,
        initial_temperature=0.1,
        target_entropy_scale=0.0,
        normalise_observations=True,
    ),
    training=MappingProxyType({**TRAINING, "skill_steps": SKILL_STEPS}),
)

SLIM_PPO = dataclasses.replace(
    SLIM,
    name="slim-ppo",
    description="SLIM on policy, for many worlds (the method is patented: US 12,393,175 B2)",
    learner=PPOConfig(),
    training=MappingProxyType(
        {**TRAINING, "num_envs": 256, "warmup_steps": 0, "total_steps": 2_000_000}
    ),
)
