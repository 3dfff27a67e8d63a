"""Joint distributions whose mutual information is known, to prove estimators against."""

from __future__ import annotations

from rl_info.distributions.base import DensityRatio, JointDistribution
from rl_info.distributions.mixture import NormalComponent, NormalMixture
from rl_info.distributions.normal import Normal
from rl_info.distributions.student import Student
from rl_info.distributions.task import Task
from rl_info.distributions.tasks import TASKS, correlated_normal
from rl_info.distributions.transformed import Transformed
from rl_info.distributions.uniform import AdditiveUniform

__all__ = [
    "TASKS",
    "AdditiveUniform",
    "DensityRatio",
    "JointDistribution",
    "Normal",
    "NormalComponent",
    "NormalMixture",
    "Student",
    "Task",
    "Transformed",
    "correlated_normal",
]
