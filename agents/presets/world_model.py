"""What the presets with a world model share, so that only representation and rewards differ."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agents.learners import ImaginationConfig
from envs.pixels.settings import PixelSettings
from rl_info.dynamics import REPRESENTATIONS, WorldModelConfig
from rl_info.rewards.task import TaskConfig

DISCOUNT = 1.0 - 1.0 / 333.0
"""Return horizon of DreamerV3 (arXiv 2301.04104)."""

TASK = TaskConfig(discount=DISCOUNT)

TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "env": "dmc/cartpole-swingup",
        "observations": "pixels",
        # A recurrent model needs no stack of frames to see motion.
        "pixels": PixelSettings(frame_stack=1, action_repeat=2),
        "num_envs": 4,
        "total_steps": 100_000,
        "update_ratio": 0.25,
        "warmup_steps": 2_000,
        "replay_capacity": 100_000,
        "eval_interval": 10_000,
        "eval_episodes": 10,
        "checkpoint_interval": 50_000,
    }
)


def learner(representation: str) -> ImaginationConfig:
    """A tiny world model with this objective at its defaults."""
    objective = REPRESENTATIONS[representation].config()
    return ImaginationConfig(
        world_model=WorldModelConfig(representation=representation, objective=objective)
    )
