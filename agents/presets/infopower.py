"""InfoPower (Bharadhwaj et al., ICLR 2022, arXiv 2204.08585) on a modern backbone.

Every term has a switch: `--learner.world-model.objective.no-information`, `no-forward`,
`no-reward`, `no-empowerment` and `no-constraint` for the representation, and
`--rewards.empowerment.weight 0` for the policy.
"""

from __future__ import annotations

from agents.presets.base import Preset
from agents.presets.world_model import DISCOUNT, TASK, TRAINING, learner
from rl_info.rewards.empowerment import EmpowermentConfig
from rl_info.skills import SkillSpec

INFOPOWER = Preset(
    name="infopower",
    description="task reward and empowerment in a world model that keeps what actions influence",
    skill=SkillSpec(),
    rewards={"task": TASK, "empowerment": EmpowermentConfig(weight=0.1, discount=DISCOUNT)},
    learner=learner("infopower"),
    training=TRAINING,
)
