"""Cart-pole: a cart on a rail that balances a pole or swings it up."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import XZ, ZZ
from envs.tasks.layout import consecutive

CENTRE = (-0.25, 0.25)
"""Cart positions in m that the sparse reward accepts."""
UPRIGHT = (0.995, 1.0)
"""Cosines of the pole's angle that the sparse reward accepts."""


class Cartpole(Task):
    """Keep the pole upright and the cart central, starting near there or from below.

    Observation: cart position with the pole's cosine and sine, then both velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "pole_angle")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xmat")

    def __init__(self, *, swing_up: bool, sparse: bool) -> None:
        self.model = load_model("cartpole.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(position=3, velocity=2)
        self._swing_up = swing_up
        self._write_reward = self._sparse_reward if sparse else self._smooth_reward
        self._pole = self.model.body("pole_1").id

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Cart near the middle, pole near the top or, to swing up, near the bottom."""
        if self._swing_up:
            data.qpos[0] = 0.01 * random.standard_normal()
            data.qpos[1] = math.pi + 0.01 * random.standard_normal()
        else:
            data.qpos[0] = random.uniform(-0.1, 0.1)
            data.qpos[1] = random.uniform(-0.034, 0.034)
        data.qvel[:] = 0.01 * random.standard_normal(model.nv)

    def observe(self, data: Fields, out: Array) -> None:
        """Write cart position, pole cosine, pole sine, and qvel; shape (N, 5)."""
        out[:, 0] = data.qpos[:, 0]
        out[:, 1] = data.xmat[:, self._pole, ZZ]
        out[:, 2] = data.xmat[:, self._pole, XZ]
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write the sparse (0 or 1) or the smooth reward, in [0, 1]."""
        self._write_reward(data, out)

    def _sparse_reward(self, data: Fields, out: Array) -> None:
        central = tolerance(data.qpos[:, 0], CENTRE)
        out[:] = central * tolerance(data.xmat[:, self._pole, ZZ], UPRIGHT)

    def _smooth_reward(self, data: Fields, out: Array) -> None:
        upright = (data.xmat[:, self._pole, ZZ] + 1) / 2
        central = (1 + tolerance(data.qpos[:, 0], margin=2)) / 2
        effortless = (4 + tolerance(data.ctrl[:, 0], (0, 0), 1, "quadratic", 0)) / 5
        slow = (1 + tolerance(data.qvel[:, 1], margin=5)) / 2
        out[:] = upright * effortless * slow * central

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): cart x in m; `pole_angle` (N, 1): rad, 0 is up, not wrapped."""
        return {"position": data.qpos[:, :1], "pole_angle": data.qpos[:, 1:]}


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/cartpole-balance": partial(Cartpole, swing_up=False, sparse=False),
    "dmc/cartpole-balance_sparse": partial(Cartpole, swing_up=False, sparse=True),
    "dmc/cartpole-swingup": partial(Cartpole, swing_up=True, sparse=False),
    "dmc/cartpole-swingup_sparse": partial(Cartpole, swing_up=True, sparse=True),
}
