"""RND (Burda et al., ICLR 2019, arXiv 1810.12894)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE, SAC, TRAINING
from rl_info.rewards.rnd import RNDConfig
from rl_info.skills import SkillSpec

RND = Preset(
    name="rnd",
    description="exploration of states where a random network is hard to predict",
    skill=SkillSpec(),
    rewards={"rnd": RNDConfig(learning_rate=REWARD_LEARNING_RATE)},
    learner=SAC,
    training=TRAINING,
)
