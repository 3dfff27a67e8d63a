"""Planning over sequences of skills of a trained agent."""

from agents.planning.plan import plan
from agents.planning.planners import PLANNERS, PlannerConfig, cem, mppi
from agents.planning.settings import PlanConfig
from agents.planning.skill_dynamics import SkillDynamics
from agents.planning.task import open_task

__all__ = [
    "PLANNERS",
    "PlanConfig",
    "PlannerConfig",
    "SkillDynamics",
    "cem",
    "mppi",
    "open_task",
    "plan",
]
