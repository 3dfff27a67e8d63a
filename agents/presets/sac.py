"""Soft actor-critic on the task's own reward (Haarnoja et al., arXiv 1812.05905)."""

from __future__ import annotations

from agents.learners import SACConfig
from agents.presets.base import Preset
from rl_info.rewards.task import TaskConfig
from rl_info.skills import SkillSpec

SAC = Preset(
    name="sac",
    description="maximum-entropy control of the task's own reward",
    skill=SkillSpec(),
    rewards={"task": TaskConfig()},
    learner=SACConfig(n_step=3, initial_temperature=0.1, normalise_observations=True),
    training={
        "env": "dmc/cheetah-run",
        "num_envs": 16,
        "total_steps": 500_000,
        "update_ratio": 0.5,
        "warmup_steps": 5_000,
    },
)
