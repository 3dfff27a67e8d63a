"""The ant's observation, reward and end in one compiled pass over the worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from envs.tasks.base import Array, Fields

if TYPE_CHECKING:
    from envs.tasks.gym.ant import Ant


@numba.njit(cache=True)
def _sum_of_squares(values: Any, partial: Any) -> Any:
    """Σ v² of 8 to 128 values, added in numpy's order, so that both round alike."""
    whole = values.size - values.size % 8
    for lane in range(8):
        partial[lane] = values[lane] * values[lane]
    for start in range(8, whole, 8):
        for lane in range(8):
            partial[lane] += values[start + lane] * values[start + lane]
    total = ((partial[0] + partial[1]) + (partial[2] + partial[3])) + (
        (partial[4] + partial[5]) + (partial[6] + partial[7])
    )
    for i in range(whole, values.size):
        total += values[i] * values[i]
    return total


@numba.njit(cache=True)
def _healthy(qpos: Any, qvel: Any, low: float, high: float) -> bool:
    for value in qpos:
        if not np.isfinite(value):
            return False
    for value in qvel:
        if not np.isfinite(value):
            return False
    return low <= qpos[2] and qpos[2] <= high


@numba.njit(cache=True)
def _clip_all(values: Any, low: float, high: float, out: Any) -> None:
    for body in range(values.shape[0]):
        for i in range(6):
            value = values[body, i]
            # NaN passes, as it does through numpy's clip.
            out[6 * body + i] = low if value < low else (high if value > high else value)


@numba.njit(cache=True)
def _observe_and_reward(
    fields: Any,
    action: Any,
    hidden: int,
    observes_wrenches: bool,
    costs_wrenches: bool,
    force_range: Any,
    z_range: Any,
    body: int,
    seconds: float,
    forward_weight: float,
    healthy_reward: float,
    control_weight: Any,
    contact_weight: float,
    ends_unhealthy: bool,
    obs: Any,
    reward: Any,
    terminated: Any,
) -> None:
    qpos, qvel, xpos, previous_xpos, cfrc_ext = fields
    wrenches = np.empty(6 * cfrc_ext.shape[1])
    sums = np.empty(8)
    action_sums = np.empty(8, action.dtype)
    num_positions = qpos.shape[1] - hidden
    state = num_positions + qvel.shape[1]
    for world in range(qpos.shape[0]):
        for i in range(num_positions):
            obs[world, i] = qpos[world, hidden + i]
        for i in range(qvel.shape[1]):
            obs[world, num_positions + i] = qvel[world, i]
        cost = np.float64(control_weight * _sum_of_squares(action[world], action_sums))
        if observes_wrenches or costs_wrenches:
            _clip_all(cfrc_ext[world], force_range[0], force_range[1], wrenches)
        if observes_wrenches:
            for i in range(6, wrenches.size):
                obs[world, state + i - 6] = wrenches[i]
        if costs_wrenches:
            cost = cost + contact_weight * _sum_of_squares(wrenches, sums)
        healthy = _healthy(qpos[world], qvel[world], z_range[0], z_range[1])
        terminated[world] = ends_unhealthy and not healthy
        alive = healthy_reward if healthy else 0.0
        moved = xpos[world, body, 0] - previous_xpos[world, body, 0]
        reward[world] = moved / seconds * forward_weight + alive - cost


class AntKernel:
    """`Ant.observe`, `Ant.reward` and `Ant.terminated` at once, for numpy arrays.

    Args:
        task: The ant whose options count.
    """

    def __init__(self, task: Ant) -> None:
        self._task = task
        self._seconds = task.model.opt.timestep * task.num_substeps

    def __call__(
        self, data: Fields, action: Array, obs: Array, reward: Array, terminated: Array
    ) -> None:
        """Write observations (N, D), rewards (N,) and ends (N,)."""
        task = self._task
        if action.dtype.itemsize < 4:
            # The compiler knows no half precision on processors.
            task.observe(data, obs)
            task.reward(data, action, reward)
            task.terminated(data, terminated)
            return
        _observe_and_reward(
            (data.qpos, data.qvel, data.xpos, data.previous.xpos, data.cfrc_ext),
            action,
            task.hidden_positions,
            task.observes_wrenches,
            task.costs_wrenches,
            task.contact_force_range,
            task.healthy_z_range,
            task.main_body,
            self._seconds,
            task.forward_reward_weight,
            task.healthy_reward,
            action.dtype.type(task.ctrl_cost_weight),
            task.contact_cost_weight,
            task.terminate_when_unhealthy,
            obs,
            reward,
            terminated,
        )
