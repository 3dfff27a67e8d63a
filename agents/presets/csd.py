"""CSD (Park et al., ICML 2023, arXiv 2302.05103)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.csd import CSDConfig

CSD = Preset(
    name="csd",
    description="skills that bring about what seldom happens by itself",
    skill=SKILL,
    rewards={"csd": CSDConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
