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
    actor_learning_rate=5e-4,
    critic_learning_rate=5e-4,
    temperature_learning_rate=5e-4,
    initial_temperature=0.01,
    target_entropy_scale=0.5,
    normalise_observations=True,
)
"""METRA's settings of SAC, four times narrower than the paper's 1024 and with a step size five
times as large, so that a CPU learns with it."""

REWARD_LEARNING_RATE = 5e-4
"""Step size of what the rewards learn; the paper's 1e-4 goes with its wider networks."""

TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "env": "gym/HalfCheetah-v5",
        # Covering space needs to see where it is.
        "env_options": {"exclude_current_positions_from_observation": False},
        "max_episode_steps": 200,
        "num_envs": 32,
        "total_steps": 1_000_000,
        # The reference code makes 50 updates for 8 episodes of 200 steps, a ratio of 1/32; smaller
        # networks on few cores leave time for more.
        "update_ratio": 0.1,
        "warmup_steps": 10_000,
        "eval_interval": 50_000,
        "checkpoint_interval": 250_000,
    }
)
