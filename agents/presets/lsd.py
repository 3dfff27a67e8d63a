"""LSD (Park et al., ICLR 2022, arXiv 2202.00914)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.lsd import LSDConfig

LSD = Preset(
    name="lsd",
    description="skills that move far in a Lipschitz embedding of the state",
    skill=SKILL,
    rewards={"lsd": LSDConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
