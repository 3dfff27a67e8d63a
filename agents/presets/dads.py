"""DADS (Sharma et al., ICLR 2020, arXiv 1907.01657)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.dads import DADSConfig

DADS = Preset(
    name="dads",
    description="skills whose steps are predictable, each unlike those of the others",
    skill=SKILL,
    rewards={"dads": DADSConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
