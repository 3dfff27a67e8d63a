"""SLIM (Emukpere et al., ICRA 2024, arXiv 2402.00823) from pixels, in imagination.

The policy sees pictures alone. Its rewards read side signals: where the object is, how far from the
gripper, and how far limits are passed. Replayed steps have them; for imagined ones, one head for
each signal reads it from the latent (`SignalHeads`), and the rewards value what the heads say.
The multi-critic method is the subject of US patent 12,393,175 B2.
"""

from __future__ import annotations

from types import MappingProxyType

from agents.presets.base import Preset
from agents.presets.slim import REWARDS
from agents.presets.world_model import TRAINING, learner
from rl_info.skills import SkillSpec

VISUAL_SLIM = Preset(
    name="visual-slim",
    description="skills from pixels that move objects, learned in imagination: discovery, reach "
    "and safety, one critic each (the method is patented: US 12,393,175 B2)",
    skill=SkillSpec("continuous", 2),
    rewards=REWARDS,
    learner=learner("infopower"),
    training=MappingProxyType({**TRAINING, "env": "tabletop/explore", "num_envs": 8}),
)
