"""APS (Liu & Abbeel, ICML 2021, arXiv 2108.13956)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.aps import APSConfig
from rl_info.skills import SkillSpec

SKILL_STEPS = 5
"""Steps after which a skill is drawn anew, as in the unsupervised RL benchmark."""

APS = Preset(
    name="aps",
    description="exploration by particle entropy with a direction of features for each skill",
    skill=SkillSpec("continuous", 10),
    rewards={"aps": APSConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training={**TRAINING, "skill_steps": SKILL_STEPS},
)
