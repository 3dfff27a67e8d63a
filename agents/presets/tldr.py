"""TLDR (Bae, Park & Lee, CoRL 2024, arXiv 2407.08464)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.tldr import TLDRConfig

TLDR = Preset(
    name="tldr",
    description="skills that reach seldom visited states in few steps",
    skill=SKILL,
    rewards={"tldr": TLDRConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
