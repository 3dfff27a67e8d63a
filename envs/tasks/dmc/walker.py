"""Walker: a planar biped that stands, walks and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, FusedKernel, RandomSource, Task
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import XZ, ZZ
from envs.tasks.layout import consecutive, readings

STAND_HEIGHT = 1.2
"""Torso height in m from which the walker counts as standing."""


class Walker(Task):
    """Keep the torso high and upright, and move forward at `speed` m/s or faster.

    Observation: planar orientation of each body, torso height, and all velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "height")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xpos", "xmat", "sensordata")

    def __init__(self, speed: float) -> None:
        self.model = load_model("walker.xml")
        self.num_substeps = 10
        self.observation_layout = consecutive(
            orientations=2 * (self.model.nbody - 1), height=1, velocity=self.model.nv
        )
        self._speed = speed
        self._torso = self.model.body("torso").id
        self._root_x = self.model.joint("rootx").qposadr[0]
        self._velocity = readings(self.model, "torso_subtreelinvel", 1).start

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Random joint angles and torso pitch; the walker then falls to the floor."""
        randomize_joints(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write body orientations (xx and xz of each), torso height, qvel; shape (N, 24)."""
        layout = self.observation_layout
        # Elements xx and xz; a planar body has no others to tell.
        orientations = data.xmat[:, 1:, : XZ + 1 : XZ]
        out[:, layout["orientations"]] = orientations.reshape(len(orientations), -1)
        out[:, layout["height"]] = data.xpos[:, self._torso, 2:]
        out[:, layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write how well the walker stands, times its share of the wanted speed; in [0, 1]."""
        height = data.xpos[:, self._torso, 2]
        standing = tolerance(height, (STAND_HEIGHT, float("inf")), STAND_HEIGHT / 2)
        upright = (1 + data.xmat[:, self._torso, ZZ]) / 2
        posture = (3 * standing + upright) / 4
        if self._speed == 0:
            out[:] = posture
            return
        moving = tolerance(
            data.sensordata[:, self._velocity],
            (self._speed, float("inf")),
            self._speed / 2,
            "linear",
            0.5,
        )
        out[:] = posture * (5 * moving + 1) / 6

    def fused(self) -> FusedKernel:
        """Array operations would cost a twentieth of the physics."""
        # Here, because numba is slow to import and listing tasks needs none of it.
        from envs.tasks.dmc.walker_kernel import WalkerKernel

        return WalkerKernel(self._torso, self._velocity, STAND_HEIGHT, self._speed)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): x in metres; `height` (N, 1): z of the torso in metres."""
        return {
            "position": data.qpos[:, self._root_x : self._root_x + 1],
            "height": data.xpos[:, self._torso, 2:],
        }


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/walker-stand": partial(Walker, speed=0.0),
    "dmc/walker-walk": partial(Walker, speed=1.0),
    "dmc/walker-run": partial(Walker, speed=8.0),
}
