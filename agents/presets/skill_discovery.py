"""What the skill-discovery presets share, so that only their reward tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agents.learners import SACConfig
from rl_info.skills import SkillSpec

SKILL = SkillSpec("discrete", 16)
"""METRA's skills for HalfCheetah (arXiv 2310.08887, appendix)."""

SAC = SACConfig(
    actor_learning_rate=1e-4,
    critic_learning_rate=1e-4,
    temperature_learning_rate=1e-4,
    initial_temperature=0.01,
    target_entropy_scale=0.5,
    normalise_observations=True,
)
"""METRA's settings of SAC, at a hidden width that a CPU learns with (the paper uses 1024)."""

TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "env": "gym/HalfCheetah-v5",
        # Covering space needs to see where it is.
        "env_options": {"exclude_current_positions_from_observation": False},
        "max_episode_steps": 200,
        "num_envs": 32,
        "total_steps": 2_000_000,
        # 50 updates for 8 episodes of 200 steps, as the reference code.
        "update_ratio": 1 / 32,
        "warmup_steps": 10_000,
        "eval_interval": 200_000,
        "checkpoint_interval": 500_000,
    }
)
