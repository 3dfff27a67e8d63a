"""The walker's observation and reward in one compiled pass over the worlds."""

from __future__ import annotations

import math
from typing import Any

import numba

from envs.tasks.base import Array, Fields
from envs.tasks.dmc.vectors import XZ, ZZ

GAUSSIAN_AT_MARGIN = math.sqrt(-2 * math.log(0.1))
"""Scale that makes the default tolerance 0.1 at the margin."""


@numba.njit(cache=True)
def _observe_and_reward(
    qvel: Any,
    xpos: Any,
    xmat: Any,
    sensordata: Any,
    torso: int,
    velocity: int,
    stand_height: float,
    speed: float,
    obs: Any,
    reward: Any,
) -> None:
    num_bodies, num_velocities = xpos.shape[1] - 1, qvel.shape[1]
    for world in range(qvel.shape[0]):
        for body in range(num_bodies):
            obs[world, 2 * body] = xmat[world, body + 1, 0]
            obs[world, 2 * body + 1] = xmat[world, body + 1, XZ]
        height = xpos[world, torso, 2]
        obs[world, 2 * num_bodies] = height
        for i in range(num_velocities):
            obs[world, 2 * num_bodies + 1 + i] = qvel[world, i]
        below = max(stand_height - height, 0.0) / (stand_height / 2)
        standing = math.exp(-0.5 * (below * GAUSSIAN_AT_MARGIN) ** 2)
        reward[world] = (3 * standing + (1 + xmat[world, torso, ZZ]) / 2) / 4
        if speed > 0:
            missing = max(speed - sensordata[world, velocity], 0.0) / (speed / 2) * 0.5
            moving = 1 - missing if missing < 1 else 0.0
            reward[world] = reward[world] * (5 * moving + 1) / 6


class WalkerKernel:
    """`Walker.observe`, `Walker.reward` and `Walker.terminated` at once.

    Args:
        torso: Body id of the torso.
        velocity: Index into `sensordata` of the forward velocity.
        stand_height: Height in m from which the walker counts as standing.
        speed: Wanted speed in m/s; 0 to reward standing only.
    """

    def __init__(self, torso: int, velocity: int, stand_height: float, speed: float) -> None:
        self._constants = (torso, velocity, stand_height, speed)

    def __call__(
        self, data: Fields, action: Array, obs: Array, reward: Array, terminated: Array
    ) -> None:
        """Write observations (N, D), rewards (N,) and that no episode ends, as numpy arrays."""
        terminated.fill(False)
        _observe_and_reward(
            data.qvel, data.xpos, data.xmat, data.sensordata, *self._constants, obs, reward
        )
