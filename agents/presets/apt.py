"""APT (Liu & Abbeel, NeurIPS 2021, arXiv 2103.04551)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.apt import APTConfig
from rl_info.skills import SkillSpec

APT = Preset(
    name="apt",
    description="exploration of states far from their nearest neighbours",
    skill=SkillSpec(),
    rewards={"apt": APTConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
