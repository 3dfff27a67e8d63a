"""SMM (Lee et al., arXiv 1906.05274)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.smm import SMMConfig
from rl_info.skills import SkillSpec

SMM = Preset(
    name="smm",
    description="a mixture of policies that together visit all states alike",
    skill=SkillSpec("discrete", 4),
    rewards={"smm": SMMConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
