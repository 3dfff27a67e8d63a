"""Reacher: a planar arm of two links whose tip must reach a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco
import numpy as np

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import length
from envs.tasks.layout import consecutive


class Reacher(Task):
    """Touch a target sphere of radius `target_size` m, placed anew in each episode.

    Observation: joint angles, vector from the fingertip to the target, joint velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "target_position")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "geom_xpos")
    model_fields: ClassVar[tuple[str, ...]] = ("geom_pos",)

    def __init__(self, target_size: float) -> None:
        self.model = load_model("reacher.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(position=2, to_target=2, velocity=2)
        self._finger, self._target = self.model.geom("finger").id, self.model.geom("target").id
        self.model.geom_size[self._target, 0] = target_size
        self._reach = target_size + float(self.model.geom_size[self._finger, 0])

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Any arm posture at rest, and the target 5 to 20 cm from the shoulder."""
        randomize_joints(model, data, random)
        angle = random.uniform(0, 2 * np.pi)
        radius = random.uniform(0.05, 0.20)
        model.geom_pos[self._target, 0] = radius * np.sin(angle)
        model.geom_pos[self._target, 1] = radius * np.cos(angle)

    def observe(self, data: Fields, out: Array) -> None:
        """Write qpos, the x and y from fingertip to target, and qvel; shape (N, 6)."""
        out[:, self.observation_layout["position"]] = data.qpos
        out[:, self.observation_layout["to_target"]] = self._to_target(data)
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 where fingertip and target overlap, else 0."""
        out[:] = tolerance(length(self._to_target(data)), (0, self._reach))

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and y of the fingertip in m; `target_position` (N, 2)."""
        return {
            "position": data.geom_xpos[:, self._finger, :2],
            "target_position": data.geom_xpos[:, self._target, :2],
        }

    def _to_target(self, data: Fields) -> Array:
        return data.geom_xpos[:, self._target, :2] - data.geom_xpos[:, self._finger, :2]


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/reacher-easy": partial(Reacher, target_size=0.05),
    "dmc/reacher-hard": partial(Reacher, target_size=0.015),
}
