"""Redundancy reduction instead of reconstruction, after R2-Dreamer."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.world_model import TASK, TRAINING, learner
from rl_info.skills import SkillSpec

R2DREAMER = Preset(
    name="r2dreamer",
    description="task reward in a world model whose latents correlate with embeddings",
    skill=SkillSpec(),
    rewards={"task": TASK},
    learner=learner("barlow"),
    training=TRAINING,
)
