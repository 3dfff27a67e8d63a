"""METRA (Park et al., ICLR 2024, arXiv 2310.08887) on latents, in imagination.

φ reads the features of an InfoPower world model, and learns from replayed steps between them; the
policy learns from what it is worth in imagined ones. Pictures must show where the agent is: the
floor of the task is its own, and a free floor without landmarks hides the position.
"""

from __future__ import annotations

from types import MappingProxyType

from agents.presets.base import Preset
from agents.presets.world_model import TRAINING, learner
from rl_info.rewards.empowerment import EmpowermentConfig
from rl_info.rewards.metra import METRAConfig
from rl_info.skills import SkillSpec

VISUAL_METRA = Preset(
    name="visual-metra",
    description="skills from pixels that spread in time, learned in imagination, with empowerment",
    skill=SkillSpec("discrete", 8),
    rewards={
        # Features are one-hot draws and bounded memories: they need no standardisation.
        "metra": METRAConfig(learning_rate=5e-4, normaliser_rows=0),
        "empowerment": EmpowermentConfig(weight=0.1),
    },
    learner=learner("infopower"),
    training=MappingProxyType({**TRAINING, "env": "dmc/point_mass-easy"}),
)
