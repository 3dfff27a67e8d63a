"""Quadruped: a four-legged body that walks and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar
from xml.etree import ElementTree

import mujoco
import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import touches
from envs.tasks.dmc.model import compile_model, read_xml
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import ZZ
from envs.tasks.layout import consecutive, readings

EPISODE_SECONDS = 20
RAISE = 0.01
"""How far in m the body is lifted at a time until it touches nothing."""
MOST_RAISES = 10_000
ROOT_POSITIONS, ROOT_VELOCITIES = 7, 6
"""Elements of qpos and qvel that belong to the free root joint."""
OTHER_TASKS = {
    "geom": {"wall_px", "wall_py", "wall_nx", "wall_ny", "terrain"},
    "body": {"ball"},
    "site": {"target"},
}
"""Elements by tag and name that only the suite's escape and fetch tasks need."""


class Quadruped(Task):
    """Keep the torso upright and move along its own x axis at `speed` m/s or faster.

    Observation: joints and actuators, then what the torso's and the feet's sensors read.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "upright")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "act", "xmat", "sensordata")

    def __init__(self, speed: float) -> None:
        self.model = compile_model(quadruped_xml(floor_size=EPISODE_SECONDS * speed))
        self.num_substeps = 4
        joints = self.model.nq - ROOT_POSITIONS
        feet = 4
        self.observation_layout = consecutive(
            egocentric_state=2 * joints + self.model.na,
            torso_velocity=3,
            torso_upright=1,
            imu=6,
            force_torque=6 * feet,
        )
        self._speed = speed
        self._joints = joints
        self._torso = self.model.body("torso").id
        # Accelerometer and gyro, and the feet's forces and torques, are neighbours.
        self._imu = readings(self.model, "imu_accel", 6)
        self._velocity = readings(self.model, "velocimeter", 3)
        self._wrenches = readings(self.model, "force_toe_front_left", 6 * feet)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """A uniformly random rotation, lifted out of the floor until nothing touches.

        Raises:
            RuntimeError: if 100 m above the floor something still touches.
        """
        quaternion = random.standard_normal(4)
        data.qpos[3:ROOT_POSITIONS] = quaternion / np.linalg.norm(quaternion)
        height = 0.0
        for _ in range(MOST_RAISES):
            data.qpos[:3] = 0.0, 0.0, height
            if not touches(model, data):
                return
            height += RAISE
        raise RuntimeError("the quadruped touches itself: no height is free of contacts")

    def observe(self, data: Fields, out: Array) -> None:
        """Write the layout's parts; forces and torques as arcsinh of N and N m; shape (N, 78)."""
        layout, joints = self.observation_layout, self._joints
        out[:, :joints] = data.qpos[:, ROOT_POSITIONS:]
        out[:, joints : 2 * joints] = data.qvel[:, ROOT_VELOCITIES:]
        out[:, 2 * joints : layout["egocentric_state"].stop] = data.act
        out[:, layout["torso_velocity"]] = data.sensordata[:, self._velocity]
        out[:, layout["torso_upright"]] = data.xmat[:, self._torso, ZZ:]
        out[:, layout["imu"]] = data.sensordata[:, self._imu]
        wrenches = data.sensordata[:, self._wrenches]
        out[:, layout["force_torque"]] = array_namespace(wrenches).asinh(wrenches)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write uprightness times the share of the wanted speed, in [0, 1]."""
        upright = tolerance(
            data.xmat[:, self._torso, ZZ], (1.0, float("inf")), 2.0, "linear", value_at_margin=0.0
        )
        speed = data.sensordata[:, self._velocity.start]
        moving = tolerance(speed, (self._speed, float("inf")), self._speed, "linear", 0.5)
        out[:] = upright * moving

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and y of the torso in m; `upright` (N, 1): cosine of its tilt."""
        return {"position": data.qpos[:, :2], "upright": data.xmat[:, self._torso, ZZ:]}


def quadruped_xml(floor_size: float) -> str:
    """MJCF of the quadruped on a plain floor of half-width `floor_size` in metres."""
    root = ElementTree.fromstring(read_xml("quadruped.xml"))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("name") in OTHER_TASKS.get(child.tag, ()) or child.tag == "rangefinder":
                parent.remove(child)
            elif child.get("name") == "floor":
                child.set("size", f"{floor_size} {floor_size} .5")
    return ElementTree.tostring(root, encoding="unicode")


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/quadruped-walk": partial(Quadruped, speed=0.5),
    "dmc/quadruped-run": partial(Quadruped, speed=5.0),
}
