"""Pendulum: a weak motor swings a pole up and holds it there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import XZ, ZZ
from envs.tasks.layout import consecutive

UPRIGHT = (math.cos(math.radians(8)), 1.0)
"""Cosines of the pole's angle that are rewarded: at most 8 degrees from vertical."""


class Pendulum(Task):
    """Hold the pole within 8 degrees of vertical.

    Observation: cosine and sine of the pole's angle, then its angular velocity.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "pole_angle")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xmat", "geom_xpos")

    def __init__(self) -> None:
        self.model = load_model("pendulum.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(orientation=2, velocity=1)
        self._pole = self.model.body("pole").id
        self._mass = self.model.geom("mass").id

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Any angle, at rest."""
        data.qpos[0] = random.uniform(-math.pi, math.pi)

    def observe(self, data: Fields, out: Array) -> None:
        """Write pole cosine, pole sine, and qvel; shape (N, 3)."""
        out[:, 0] = data.xmat[:, self._pole, ZZ]
        out[:, 1] = data.xmat[:, self._pole, XZ]
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 where the pole is upright, else 0."""
        out[:] = tolerance(data.xmat[:, self._pole, ZZ], UPRIGHT)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and z of the mass in m; `pole_angle` (N, 1): rad, not wrapped."""
        return {"position": data.geom_xpos[:, self._mass, ::2], "pole_angle": data.qpos}


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/pendulum-swingup": Pendulum}
