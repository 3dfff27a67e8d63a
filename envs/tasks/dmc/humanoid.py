"""Humanoid: a simplified human body that stands, walks and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.frames import to_local
from envs.tasks.dmc.joints import randomize_joints, touches
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import ZZ, length
from envs.tasks.layout import consecutive, readings

STAND_HEIGHT = 1.4
"""Head height in m from which the humanoid counts as standing."""
UPRIGHT = 0.9
"""Cosine of the torso's tilt from which it counts as upright."""
EXTREMITIES = ("left_hand", "left_foot", "right_hand", "right_foot")
ROOT_POSITIONS = 7
"""Elements of qpos that place the free root joint."""


class Humanoid(Task):
    """Stand with little effort, and move at `speed` m/s or faster, or not at all if it is 0.

    Observation: joint angles, features of posture and motion, and all velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "height")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xpos", "xmat", "sensordata")

    def __init__(self, speed: float) -> None:
        self.model = load_model("humanoid.xml")
        self.num_substeps = 5
        self.observation_layout = consecutive(
            joint_angles=self.model.nq - ROOT_POSITIONS,
            head_height=1,
            extremities=3 * len(EXTREMITIES),
            torso_vertical=3,
            com_velocity=3,
            velocity=self.model.nv,
        )
        self._speed = speed
        self._torso = self.model.body("torso").id
        self._head = self.model.body("head").id
        self._extremities = [self.model.body(name).id for name in EXTREMITIES]
        self._velocity = readings(self.model, "torso_subtreelinvel", 3)
        self._horizontal_velocity = readings(self.model, "torso_subtreelinvel", 2)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Random joint angles and rotation, drawn again until nothing touches."""
        randomize_joints(model, data, random)
        while touches(model, data):
            randomize_joints(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the parts of the layout in SI units; shape (N, 67).

        Hands and feet are relative to the torso and in its frame.
        """
        layout, torso = self.observation_layout, data.xpos[:, self._torso]
        frame = data.xmat[:, self._torso]
        out[:, layout["joint_angles"]] = data.qpos[:, ROOT_POSITIONS:]
        out[:, layout["head_height"]] = data.xpos[:, self._head, 2:]
        first = layout["extremities"].start
        for start, body in enumerate(self._extremities):
            place = first + 3 * start
            out[:, place : place + 3] = to_local(data.xpos[:, body] - torso, frame)
        out[:, layout["torso_vertical"]] = frame[:, 6:]
        out[:, layout["com_velocity"]] = data.sensordata[:, self._velocity]
        out[:, layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write the product of standing, small effort, and wanted speed; in [0, 1]."""
        xp = array_namespace(action)
        standing = tolerance(
            data.xpos[:, self._head, 2], (STAND_HEIGHT, float("inf")), STAND_HEIGHT / 4
        )
        upright = tolerance(
            data.xmat[:, self._torso, ZZ], (UPRIGHT, float("inf")), 1 + UPRIGHT, "linear", 0.0
        )
        ease = tolerance(action, margin=1.0, sigmoid="quadratic", value_at_margin=0.0)
        effort = (4 + xp.mean(ease, axis=-1)) / 5
        velocity = data.sensordata[:, self._horizontal_velocity]
        if self._speed == 0:
            moving = xp.mean(tolerance(velocity, margin=2.0), axis=-1)
        else:
            speed_range = (self._speed, float("inf"))
            moving = tolerance(length(velocity), speed_range, self._speed, "linear", 0.0)
            moving = (5 * moving + 1) / 6
        out[:] = effort * (standing * upright) * moving

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and y of the torso; `height` (N, 1): z of the head; in metres."""
        return {"position": data.qpos[:, :2], "height": data.xpos[:, self._head, 2:]}


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/humanoid-stand": partial(Humanoid, speed=0.0),
    "dmc/humanoid-walk": partial(Humanoid, speed=1.0),
    "dmc/humanoid-run": partial(Humanoid, speed=10.0),
}
