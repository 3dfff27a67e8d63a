"""Information-Koopman dynamics with a latent LQR (arXiv 2510.13025)."""

from __future__ import annotations

from agents.learners.koopman_config import KoopmanLQRConfig
from agents.presets.base import Preset
from rl_info.dynamics.koopman import KoopmanConfig
from rl_info.skills import SkillSpec

KOOPMAN_LQR = Preset(
    name="koopman-lqr",
    description="linear-quadratic control to a goal in information-shaped Koopman latents",
    skill=SkillSpec(),
    rewards={},
    learner=KoopmanLQRConfig(
        dynamics=KoopmanConfig(
            latent_dim=12,
            information_weight=0.01,
            entropy_weight=0.001,
            neighbours=1,
            prediction_steps=3,
        )
    ),
    training={
        "env": "dmc/cartpole-balance",
        # Short episodes keep the data near the top, where linear control works.
        "max_episode_steps": 100,
        "num_envs": 16,
        "total_steps": 40_000,
        "update_ratio": 0.05,
        "warmup_steps": 10_000,
        "replay_capacity": 100_000,
        "eval_interval": 10_000,
        "eval_episodes": 10,
        "checkpoint_interval": 20_000,
    },
)
