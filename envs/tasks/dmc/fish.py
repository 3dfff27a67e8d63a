"""Fish: a swimming body with fins and a tail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco
import numpy as np

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import ZZ
from envs.tasks.layout import consecutive

ROOT_POSITIONS = 7
"""Elements of qpos that place the free root joint."""
JOINT_RANGE = 0.2
"""Largest initial angle of fins and tail, in rad."""


class FishUpright(Task):
    """Turn the back of the fish up and keep it there.

    Observation: angles of tail and fins, cosine of the torso's tilt, and all velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "upright")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xmat")

    def __init__(self) -> None:
        self.model = load_model("fish.xml")
        # Only the swimming task has a target to see.
        self.model.geom("target").rgba[3] = 0
        self.num_substeps = 10
        self.observation_layout = consecutive(
            joint_angles=self.model.nq - ROOT_POSITIONS, upright=1, velocity=self.model.nv
        )
        self._torso = self.model.body("torso").id

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """A uniformly random rotation, and small random angles of tail and fins."""
        quaternion = random.standard_normal(4)
        data.qpos[3:ROOT_POSITIONS] = quaternion / np.linalg.norm(quaternion)
        joints = model.nq - ROOT_POSITIONS
        data.qpos[ROOT_POSITIONS:] = random.uniform(-JOINT_RANGE, JOINT_RANGE, size=joints)

    def observe(self, data: Fields, out: Array) -> None:
        """Write joint angles in rad, uprightness in [-1, 1], and qvel; shape (N, 21)."""
        layout = self.observation_layout
        out[:, layout["joint_angles"]] = data.qpos[:, ROOT_POSITIONS:]
        out[:, layout["upright"]] = data.xmat[:, self._torso, ZZ:]
        out[:, layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write how near the torso's tilt is to none, in (0, 1]."""
        out[:] = tolerance(data.xmat[:, self._torso, ZZ], (1.0, 1.0), 1.0)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 3): of the torso in metres; `upright` (N, 1): cosine of its tilt."""
        return {"position": data.qpos[:, :3], "upright": data.xmat[:, self._torso, ZZ:]}


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/fish-upright": FishUpright}
