"""Ball in cup: swing a ball on a string into a cup that moves in a vertical plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.joints import touches
from envs.tasks.dmc.model import load_model
from envs.tasks.layout import consecutive


class BallInCup(Task):
    """Catch the ball.

    Observation: cup x and z, ball x and z relative to where they began, then their velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "cup_position")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xpos", "site_xpos")

    def __init__(self) -> None:
        self.model = load_model("ball_in_cup.xml")
        self.num_substeps = 10
        self.observation_layout = consecutive(position=4, velocity=4)
        self._cup, self._ball = self.model.body("cup").id, self.model.body("ball").id
        self._target = self.model.site("target").id
        self._ball_x = self.model.joint("ball_x").qposadr[0]
        self._ball_z = self.model.joint("ball_z").qposadr[0]
        room = self.model.site("target").size[::2] - self.model.geom("ball").size[0]
        self._room_x, self._room_z = map(float, room)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """The ball anywhere above or below the cup where it touches nothing."""
        while True:
            data.qpos[self._ball_x] = random.uniform(-0.2, 0.2)
            data.qpos[self._ball_z] = random.uniform(0.2, 0.5)
            if not touches(model, data):
                return

    def observe(self, data: Fields, out: Array) -> None:
        """Write qpos, then qvel; shape (N, 8)."""
        out[:, self.observation_layout["position"]] = data.qpos
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 where the whole ball is inside the cup, else 0."""
        offset = abs(data.site_xpos[:, self._target] - data.xpos[:, self._ball])
        out[:] = (offset[:, 0] < self._room_x) & (offset[:, 2] < self._room_z)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and z of the ball in m; `cup_position` (N, 2): of the cup."""
        return {
            "position": data.xpos[:, self._ball, ::2],
            "cup_position": data.xpos[:, self._cup, ::2],
        }


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/ball_in_cup-catch": BallInCup}
