"""The cheetah's observation and reward in one compiled pass over the worlds."""

from __future__ import annotations

from typing import Any

import numba

from envs.tasks.base import Array, Fields


@numba.njit(cache=True)
def _observe_and_reward(
    qpos: Any, qvel: Any, sensordata: Any, speed: int, full_speed: float, obs: Any, reward: Any
) -> None:
    num_positions = qpos.shape[1] - 1
    for world in range(qpos.shape[0]):
        for i in range(num_positions):
            obs[world, i] = qpos[world, i + 1]
        for i in range(qvel.shape[1]):
            obs[world, num_positions + i] = qvel[world, i]
        # The operations of `tolerance` in its order, so that both round alike.
        missing = (full_speed - sensordata[world, speed]) / full_speed
        reward[world] = 1.0 - min(max(missing, 0.0), 1.0)


class CheetahKernel:
    """`Cheetah.observe`, `Cheetah.reward` and `Cheetah.terminated` at once.

    Args:
        speed: Index into `sensordata` of the forward speed.
        full_speed: Speed in m/s that earns 1.
    """

    def __init__(self, speed: int, full_speed: float) -> None:
        self._speed = speed
        self._full_speed = full_speed

    def __call__(
        self, data: Fields, action: Array, obs: Array, reward: Array, terminated: Array
    ) -> None:
        """Write observations (N, D), rewards (N,) and that no episode ends, as numpy arrays."""
        terminated.fill(False)
        _observe_and_reward(
            data.qpos, data.qvel, data.sensordata, self._speed, self._full_speed, obs, reward
        )
