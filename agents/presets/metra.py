"""METRA (Park et al., ICLR 2024, arXiv 2310.08887)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, SKILL, TRAINING
from rl_info.rewards.metra import METRAConfig

METRA = Preset(
    name="metra",
    description="skills that spread in a latent space whose distances are times",
    skill=SKILL,
    rewards={"metra": METRAConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
