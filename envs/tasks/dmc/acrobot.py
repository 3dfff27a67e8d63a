"""Acrobot: two links swung up by a motor at the elbow alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import XZ, ZZ, length
from envs.tasks.layout import consecutive


class Acrobot(Task):
    """Bring the tip to the target above, and keep it there.

    Observation: sines of both arms' angles to the vertical, their cosines, then both velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "joint_angles")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xmat", "site_xpos")

    def __init__(self) -> None:
        self.model = load_model("acrobot.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(orientations=4, velocity=2)
        # The two arms are neighbours, so one slice covers both.
        self._arms = slice(self.model.body("upper_arm").id, self.model.body("lower_arm").id + 1)
        self._tip, self._target = self.model.site("tip").id, self.model.site("target").id
        self._radius = float(self.model.site("target").size[0])

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Any angles, at rest."""
        data.qpos[:] = random.uniform(-math.pi, math.pi, 2)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the sines, then the cosines of both arms, and qvel; shape (N, 6)."""
        out[:, 0:2] = data.xmat[:, self._arms, XZ]
        out[:, 2:4] = data.xmat[:, self._arms, ZZ]
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write how close the tip is to the target, in [0, 1]; 1 inside it."""
        distance = length(data.site_xpos[:, self._target] - data.site_xpos[:, self._tip])
        out[:] = tolerance(distance, (0, self._radius), margin=1)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and z of the tip in m; `joint_angles` (N, 2): rad, not wrapped."""
        return {"position": data.site_xpos[:, self._tip, ::2], "joint_angles": data.qpos}


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/acrobot-swingup": Acrobot}
