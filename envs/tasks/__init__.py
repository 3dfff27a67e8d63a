"""Every native task by id: one import and one line a domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envs.tasks.base import Task
from envs.tasks.dmc import (
    acrobot,
    ball_in_cup,
    cartpole,
    cheetah,
    finger,
    fish,
    hopper,
    humanoid,
    pendulum,
    point_mass,
    quadruped,
    reacher,
    swimmer,
    walker,
)
from envs.tasks.gym import ant, half_cheetah, walker2d
from envs.tasks.gym import hopper as gym_hopper
from envs.tasks.tabletop import explore, goals

TASKS: Mapping[str, Callable[..., Task]] = {
    **acrobot.TASKS,
    **ball_in_cup.TASKS,
    **cartpole.TASKS,
    **cheetah.TASKS,
    **finger.TASKS,
    **fish.TASKS,
    **hopper.TASKS,
    **humanoid.TASKS,
    **pendulum.TASKS,
    **point_mass.TASKS,
    **quadruped.TASKS,
    **reacher.TASKS,
    **swimmer.TASKS,
    **walker.TASKS,
    **ant.TASKS,
    **half_cheetah.TASKS,
    **gym_hopper.TASKS,
    **walker2d.TASKS,
    **explore.TASKS,
    **goals.TASKS,
}
"""Task id, such as `dmc/cheetah-run`, to a factory that accepts the task's keyword options."""
