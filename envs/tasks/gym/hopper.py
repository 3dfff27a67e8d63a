"""Hopper-v5 of Gymnasium: a planar one-legged robot paid for hopping forward upright."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import mujoco
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.gym.locomotion import (
    check_range,
    check_scale,
    control_cost,
    forward_velocity,
    inside,
    load_model,
    perturb_uniform,
    position_velocity_layout,
)

VELOCITY_LIMIT = 10.0
"""Observed velocities are clipped to this magnitude (m/s or rad/s)."""


class Hopper(Task):
    """Hop forward: forward velocity + reward for being healthy − control cost.

    Exact against gymnasium's `Hopper-v5` (task: Erez, Tassa and Todorov, "Infinite-Horizon Model
    Predictive Control for Periodic Tasks with Contacts", 2011). Healthy means that height, angle
    and every other state lie strictly inside their ranges.

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s).
        ctrl_cost_weight: Weight of the squared action.
        healthy_reward: Reward for each step that ends healthy.
        terminate_when_unhealthy: End the episode in an unhealthy state; skill discovery: False.
        healthy_state_range: Bounds on all positions but x and z, and on all velocities.
        healthy_z_range: Bounds on the torso's height (m).
        healthy_angle_range: Bounds on the torso's angle (rad).
        reset_noise_scale: Half width of the uniform noise on the initial state.
        exclude_current_positions_from_observation: Hide x. Skill discovery wants it shown: False.
    """

    previous_fields: ClassVar[tuple[str, ...]] = ("qpos",)
    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"

    def __init__(
        self,
        *,
        forward_reward_weight: float = 1.0,
        ctrl_cost_weight: float = 1e-3,
        healthy_reward: float = 1.0,
        terminate_when_unhealthy: bool = True,
        healthy_state_range: tuple[float, float] = (-100.0, 100.0),
        healthy_z_range: tuple[float, float] = (0.7, float("inf")),
        healthy_angle_range: tuple[float, float] = (-0.2, 0.2),
        reset_noise_scale: float = 5e-3,
        exclude_current_positions_from_observation: bool = True,
    ) -> None:
        self.model = load_model("hopper.xml")
        self.num_substeps = 4
        self.forward_reward_weight = float(forward_reward_weight)
        self.ctrl_cost_weight = float(ctrl_cost_weight)
        self.healthy_reward = float(healthy_reward)
        self.terminate_when_unhealthy = terminate_when_unhealthy
        self.healthy_state_range = check_range("healthy_state_range", healthy_state_range)
        self.healthy_z_range = check_range("healthy_z_range", healthy_z_range)
        self.healthy_angle_range = check_range("healthy_angle_range", healthy_angle_range)
        self.reset_noise_scale = check_scale("reset_noise_scale", reset_noise_scale)
        self.hidden_positions = 1 if exclude_current_positions_from_observation else 0
        self.num_positions = self.model.nq - self.hidden_positions
        self.observation_size = self.num_positions + self.model.nv

    @property
    def observation_layout(self) -> Mapping[str, slice]:
        """Positions (6, or 5 without x; m and rad), then 6 velocities (m/s and rad/s)."""
        return position_velocity_layout(self.num_positions, self.model.nv)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Uniform noise on positions and velocities."""
        perturb_uniform(model, data, random, self.reset_noise_scale)

    def observe(self, data: Fields, out: Array) -> None:
        """Write positions, without x if it is hidden, then clipped velocities."""
        xp = array_namespace(data.qvel)
        out[:, : self.num_positions] = data.qpos[:, self.hidden_positions :]
        out[:, self.num_positions :] = xp.clip(data.qvel, -VELOCITY_LIMIT, VELOCITY_LIMIT)

    def healthy(self, data: Fields) -> Array:
        """Whether each world is healthy, bool of shape (N,)."""
        xp = array_namespace(data.qpos)
        positions = xp.all(inside(data.qpos[:, 2:], self.healthy_state_range), axis=-1)
        velocities = xp.all(inside(data.qvel, self.healthy_state_range), axis=-1)
        height = inside(data.qpos[:, 1], self.healthy_z_range)
        angle = inside(data.qpos[:, 2], self.healthy_angle_range)
        return positions & velocities & height & angle

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write weighted forward velocity plus healthy reward less control cost."""
        seconds = self.model.opt.timestep * self.num_substeps
        forward = self.forward_reward_weight * forward_velocity(data, seconds)
        alive = self.healthy(data) * self.healthy_reward
        out[:] = forward + alive - control_cost(action, self.ctrl_cost_weight)

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether each world is unhealthy, unless that ends nothing."""
        out[:] = ~self.healthy(data) if self.terminate_when_unhealthy else False

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): x of the torso; `height` (N, 1): its z; metres."""
        return {"position": data.qpos[:, :1], "height": data.qpos[:, 1:2]}


TASKS: Mapping[str, Callable[..., Task]] = {"gym/Hopper-v5": Hopper}
