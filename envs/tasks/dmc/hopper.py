"""Hopper: a planar one-legged body that stands and hops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.layout import consecutive, readings

STAND_HEIGHTS = (0.6, 2.0)
"""Heights of torso over foot, in m, at which the hopper counts as standing."""
HOP_SPEED = 2.0
"""Speed in m/s from which hopping earns all it can."""


class Hopper(Task):
    """Keep the torso above the foot, and either save effort or, if `hops`, move forward.

    Observation: all positions but the horizontal one, all velocities, touch of toe and heel.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "height")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xipos", "sensordata")

    def __init__(self, hops: bool) -> None:
        self.model = load_model("hopper.xml")
        self.num_substeps = 4
        self.observation_layout = consecutive(
            position=self.model.nq - 1, velocity=self.model.nv, touch=2
        )
        self._hops = hops
        self._torso = self.model.body("torso").id
        self._foot = self.model.body("foot").id
        self._velocity = readings(self.model, "torso_subtreelinvel", 1).start
        # The heel's reading follows the toe's.
        self._touch = readings(self.model, "touch_toe", 2)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Random joint angles and torso pitch; the hopper then falls to the floor."""
        randomize_joints(model, data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write qpos but x, qvel, and log(1 + touch force in N); shape (N, 15)."""
        layout = self.observation_layout
        out[:, layout["position"]] = data.qpos[:, 1:]
        out[:, layout["velocity"]] = data.qvel
        touch = data.sensordata[:, self._touch]
        out[:, layout["touch"]] = array_namespace(touch).log1p(touch)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write whether the hopper stands, times its share of the goal beside it; in [0, 1]."""
        standing = tolerance(self._height(data)[:, 0], STAND_HEIGHTS)
        if self._hops:
            speed = data.sensordata[:, self._velocity]
            hopping = tolerance(speed, (HOP_SPEED, float("inf")), HOP_SPEED / 2, "linear", 0.5)
            out[:] = standing * hopping
        else:
            ease = tolerance(action, margin=1.0, sigmoid="quadratic", value_at_margin=0.0)
            out[:] = standing * (array_namespace(action).mean(ease, axis=-1) + 4) / 5

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): x; `height` (N, 1): of the torso over the foot; both in metres."""
        return {"position": data.qpos[:, :1], "height": self._height(data)}

    def _height(self, data: Fields) -> Array:
        return data.xipos[:, self._torso, 2:] - data.xipos[:, self._foot, 2:]


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/hopper-stand": partial(Hopper, hops=False),
    "dmc/hopper-hop": partial(Hopper, hops=True),
}
