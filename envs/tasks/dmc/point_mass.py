"""Point mass: a ball on a plane, pushed along x and y."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import length
from envs.tasks.layout import consecutive


class PointMass(Task):
    """Move to the target in the middle with small forces.

    Observation: position on the plane, then velocity.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position",)
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "geom_xpos")

    def __init__(self) -> None:
        self.model = load_model("point_mass.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(position=2, velocity=2)
        self._mass, self._target = self.model.geom("pointmass").id, self.model.geom("target").id
        self._radius = float(self.model.geom("target").size[0])

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Anywhere on the plane, at rest."""
        randomize_joints(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write qpos, then qvel; shape (N, 4)."""
        out[:, self.observation_layout["position"]] = data.qpos
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write closeness to the target, less up to a fifth for large forces, in [0, 1]."""
        distance = length(data.geom_xpos[:, self._target] - data.geom_xpos[:, self._mass])
        near = tolerance(distance, (0, self._radius), margin=self._radius)
        gentle_x = tolerance(data.ctrl[:, 0], (0, 0), 1, "quadratic", 0)
        gentle_y = tolerance(data.ctrl[:, 1], (0, 0), 1, "quadratic", 0)
        out[:] = near * ((gentle_x + gentle_y) / 2 + 4) / 5

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and y in m."""
        return {"position": data.qpos}


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/point_mass-easy": PointMass}
