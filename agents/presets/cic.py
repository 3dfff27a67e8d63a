"""CIC (Laskin et al., NeurIPS 2022, arXiv 2202.00161)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.cic import CICConfig
from rl_info.skills import SkillSpec

SKILL_STEPS = 50
"""Steps after which a skill is drawn anew, as in the released code."""

CIC = Preset(
    name="cic",
    description="diverse steps that a skill can be told from, in the form of the paper",
    skill=SkillSpec("continuous", 64),
    rewards={"cic": CICConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training={**TRAINING, "skill_steps": SKILL_STEPS},
)
