"""CSF (Zheng et al., ICLR 2025, arXiv 2412.08021)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.csf import CSFConfig

CSF = Preset(
    name="csf",
    description="METRA's skills from a contrastive term instead of a constraint",
    skill=SKILL,
    rewards={"csf": CSFConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
