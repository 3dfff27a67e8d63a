"""LSD (Park et al., ICLR 2022, arXiv 2202.00914)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import SAC, SKILL, TRAINING
from rl_info.rewards.lsd import LSDConfig

LSD = Preset(
    name="lsd",
    description="skills that move far in a Lipschitz embedding of the state",
    skill=SKILL,
    rewards={"lsd": LSDConfig(learning_rate=1e-4)},
    sac=SAC,
    training=TRAINING,
)
