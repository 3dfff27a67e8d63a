"""METRA (Park et al., ICLR 2024, arXiv 2310.08887)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import SAC, SKILL, TRAINING
from rl_info.rewards.metra import METRAConfig

METRA = Preset(
    name="metra",
    description="skills that spread in a latent space whose distances are times",
    skill=SKILL,
    rewards={"metra": METRAConfig(learning_rate=1e-4)},
    sac=SAC,
    training=TRAINING,
)
