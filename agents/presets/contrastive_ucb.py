"""Contrastive-UCB (Qiu et al., ICML 2022, arXiv 2207.14800)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.contrastive_ucb import ContrastiveUCBConfig
from rl_info.skills import SkillSpec

CONTRASTIVE_UCB = Preset(
    name="contrastive_ucb",
    description="exploration by a confidence bonus in contrastive features",
    skill=SkillSpec(),
    rewards={"contrastive_ucb": ContrastiveUCBConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
