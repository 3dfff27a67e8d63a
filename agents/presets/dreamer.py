"""Reconstruction of pictures, after DreamerV3 (Hafner et al., arXiv 2301.04104)."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.world_model import TASK, TRAINING, learner
from rl_info.skills import SkillSpec

DREAMER = Preset(
    name="dreamer",
    description="task reward in a world model that draws what it saw (DreamerV3-like)",
    skill=SkillSpec(),
    rewards={"task": TASK},
    learner=learner("reconstruction"),
    training=TRAINING,
)
