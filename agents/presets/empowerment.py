"""Empowerment (Mohamed & Rezende, NeurIPS 2015, arXiv 1509.08731)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.empowerment import EmpowermentConfig
from rl_info.skills import SkillSpec

EMPOWERMENT = Preset(
    name="empowerment",
    description="control for its own sake: actions that show in the next state",
    skill=SkillSpec(),
    rewards={"empowerment": EmpowermentConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
