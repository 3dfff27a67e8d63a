"""DIAYN (Eysenbach et al., ICLR 2019, arXiv 1802.06070)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.diayn import DIAYNConfig

DIAYN = Preset(
    name="diayn",
    description="skills that a discriminator can tell apart by the states they visit",
    skill=SKILL,
    rewards={"diayn": DIAYNConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
