"""A contrastive world model: what InfoPower is without its other terms."""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.world_model import TASK, TRAINING, learner
from rl_info.skills import SkillSpec

INFONCE_DREAMER = Preset(
    name="infonce-dreamer",
    description="task reward in a world model that tells its observation among others",
    skill=SkillSpec(),
    rewards={"task": TASK},
    learner=learner("infonce"),
    training=TRAINING,
)
