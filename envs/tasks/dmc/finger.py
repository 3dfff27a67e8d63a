"""Finger: two links that spin a free body on a hinge, or turn it to a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco
import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import randomize_joints, touches
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.vectors import length
from envs.tasks.layout import consecutive

SPIN_SPEED = 15.0
"""Speed in rad/s, clockwise, from which the body counts as spinning."""
SPIN_DAMPING = 0.03
"""Damping of the hinge in N m s/rad when the body is there to be spun."""
MAX_ATTEMPTS = 1000
FIELDS = ("qpos", "qvel", "sensordata", "geom_xpos")


class Finger:
    """What both tasks share: the model, its sensors, postures that touch nothing."""

    def __init__(self) -> None:
        self.model = load_model("finger.xml")
        self.tip, self.target, self.spinner = map(self._plane, ("tip", "target", "spinner"))
        self.hinge_velocity = self._address("hinge_velocity")
        self._fingertip = self.model.geom("fingertip").id
        # Sensors that are read together lie side by side.
        self._angles = slice(self._address("proximal"), self._address("distal") + 1)
        self._velocities = slice(self._address("proximal_velocity"), self.hinge_velocity + 1)
        self._touch = slice(self._address("touchtop"), self._address("touchbottom") + 1)
        self.layout = consecutive(position=4, velocity=3, touch=2)

    def draw_posture(
        self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource
    ) -> None:
        """Draw joint angles until nothing touches.

        Raises:
            RuntimeError: if none of 1,000 postures is free of contacts.
        """
        for _ in range(MAX_ATTEMPTS):
            randomize_joints(model, data, random)
            if not touches(model, data):
                return
        raise RuntimeError(f"no posture of the finger without contact in {MAX_ATTEMPTS} draws")

    def observe(self, data: Fields, out: Array) -> None:
        """Write joint angles, tip from hinge (x, z), velocities, log touch; shape (N, 9)."""
        sensors = data.sensordata
        out[:, 0:2] = sensors[:, self._angles]
        out[:, 2:4] = sensors[:, self.tip] - sensors[:, self.spinner]
        out[:, self.layout["velocity"]] = sensors[:, self._velocities]
        out[:, self.layout["touch"]] = array_namespace(sensors).log1p(sensors[:, self._touch])

    def signals(self, data: Fields) -> dict[str, Array]:
        """Positions (N, 2), x and z in m, of the fingertip and of the body's tip."""
        return {
            "position": data.geom_xpos[:, self._fingertip, ::2],
            "object_position": data.sensordata[:, self.tip],
        }

    def _address(self, sensor: str) -> int:
        return int(self.model.sensor(sensor).adr[0])

    def _plane(self, sensor: str) -> slice:
        """The x and z elements of a sensor of three coordinates."""
        start = self._address(sensor)
        return slice(start, start + 3, 2)


class Spin(Task):
    """Spin the body clockwise at 15 rad/s or faster.

    Observation: finger angles and tip from hinge, three velocities, two touch sensors.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "object_position")
    fields: ClassVar[tuple[str, ...]] = FIELDS

    def __init__(self) -> None:
        self._finger = Finger()
        self.model = self._finger.model
        self.num_substeps = 2
        self.observation_layout = self._finger.layout
        self.model.dof_damping[self.model.joint("hinge").dofadr[0]] = SPIN_DAMPING
        # There is no target to reach: hide it and the tip that would reach it.
        self.model.site("target").rgba[3] = 0
        self.model.site("tip").rgba[3] = 0

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Any posture without contact, at rest."""
        self._finger.draw_posture(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the observation of the finger; shape (N, 9)."""
        self._finger.observe(data, out)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 where the body spins fast enough, else 0."""
        out[:] = data.sensordata[:, self._finger.hinge_velocity] <= -SPIN_SPEED

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position`, `object_position` (N, 2): x and z of fingertip and body's tip in m."""
        return self._finger.signals(data)


class Turn(Task):
    """Turn the body's tip into a target sphere of radius `target_size` m, placed anew each time.

    Observation: that of Spin, then target from hinge (x, z), and distance to the target's surface.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "object_position", "target_position")
    fields: ClassVar[tuple[str, ...]] = FIELDS
    model_fields: ClassVar[tuple[str, ...]] = ("site_pos",)

    def __init__(self, target_size: float) -> None:
        self._finger = Finger()
        self.model = self._finger.model
        self.num_substeps = 2
        self.observation_layout = {
            **self._finger.layout,
            "target_position": slice(9, 11),
            "dist_to_target": slice(11, 12),
        }
        self._target_size = target_size
        self._target = self.model.site("target").id
        self.model.site_size[self._target, 0] = target_size
        self._orbit = self.model.geom("cap1").size.sum()
        self._hinge = self.model.body("spinner").pos[::2].copy()

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """The target anywhere on the tip's circle; any posture without contact, at rest."""
        angle = random.uniform(-np.pi, np.pi)
        direction = np.array([np.sin(angle), np.cos(angle)])
        model.site_pos[self._target, ::2] = self._hinge + self._orbit * direction
        self._finger.draw_posture(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the observation of the finger, target from hinge, distance; shape (N, 12)."""
        self._finger.observe(data, out)
        target = self._from_hinge(data, self._finger.target)
        out[:, self.observation_layout["target_position"]] = target
        out[:, 11] = self._distance(data)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 where the tip is inside the target, else 0."""
        out[:] = self._distance(data) <= 0

    def signals(self, data: Fields) -> dict[str, Array]:
        """As Spin, and `target_position` (N, 2): x and z of the target in m."""
        target = data.sensordata[:, self._finger.target]
        return {**self._finger.signals(data), "target_position": target}

    def _from_hinge(self, data: Fields, sensor: slice) -> Array:
        return data.sensordata[:, sensor] - data.sensordata[:, self._finger.spinner]

    def _distance(self, data: Fields) -> Array:
        """Distance (N,) from the tip to the target's surface, negative inside."""
        target = self._from_hinge(data, self._finger.target)
        # Both relative to the hinge, as in the suite: the direct difference rounds differently.
        return length(target - self._from_hinge(data, self._finger.tip)) - self._target_size


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/finger-spin": Spin,
    "dmc/finger-turn_easy": partial(Turn, target_size=0.07),
    "dmc/finger-turn_hard": partial(Turn, target_size=0.03),
}
