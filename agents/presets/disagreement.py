"""Disagreement (Pathak et al., ICML 2019, arXiv 1906.04161)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.disagreement import DisagreementConfig
from rl_info.skills import SkillSpec

DISAGREEMENT = Preset(
    name="disagreement",
    description="exploration of actions on whose outcome forward models differ",
    skill=SkillSpec(),
    rewards={"disagreement": DisagreementConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
