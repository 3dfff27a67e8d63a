"""Ant-v5 of Gymnasium: a four-legged robot paid for walking along x."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import mujoco
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, FusedKernel, RandomSource, Task
from envs.tasks.gym.locomotion import (
    check_range,
    check_scale,
    control_cost,
    load_model,
    perturb_normal,
)
from envs.tasks.layout import consecutive


class Ant(Task):
    """Walk along x: forward velocity + reward for being healthy − control and contact costs.

    Exact against gymnasium's `Ant-v5` (task: Schulman et al., "High-Dimensional Continuous
    Control Using Generalized Advantage Estimation", 2015). Healthy means that the torso's height
    lies inside its range, bounds included, and that the state is finite. Observation: positions
    (15, or 13 without x and y), 14 velocities, 78 components of contact wrenches.

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s) of `main_body`.
        ctrl_cost_weight: Weight of the squared action.
        contact_cost_weight: Weight of the squared, clipped contact wrenches. With 0 here and no
            wrenches in the observation they are not computed, which is faster.
        healthy_reward: Reward for each step that ends healthy.
        main_body: Id or name of the body whose velocity is rewarded.
        terminate_when_unhealthy: End the episode in an unhealthy state; skill discovery: False.
        healthy_z_range: Bounds on the torso's height (m).
        contact_force_range: Bounds to which contact wrenches (N m, N) are clipped.
        reset_noise_scale: Half width of the initial positions' noise and deviation of the
            velocities'.
        exclude_current_positions_from_observation: Hide x and y. Skill discovery: False.
        include_cfrc_ext_in_observation: Observe the clipped contact wrenches of the 13 bodies.
    """

    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"
    signal_names: ClassVar[tuple[str, ...]] = ("position", "height")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "xpos", "cfrc_ext")
    previous_fields: ClassVar[tuple[str, ...]] = ("xpos",)

    def __init__(
        self,
        *,
        forward_reward_weight: float = 1.0,
        ctrl_cost_weight: float = 0.5,
        contact_cost_weight: float = 5e-4,
        healthy_reward: float = 1.0,
        main_body: int | str = 1,
        terminate_when_unhealthy: bool = True,
        healthy_z_range: tuple[float, float] = (0.2, 1.0),
        contact_force_range: tuple[float, float] = (-1.0, 1.0),
        reset_noise_scale: float = 0.1,
        exclude_current_positions_from_observation: bool = True,
        include_cfrc_ext_in_observation: bool = True,
    ) -> None:
        self.observes_wrenches = include_cfrc_ext_in_observation
        self.costs_wrenches = contact_cost_weight != 0.0
        self.model = load_model("ant.xml", self.observes_wrenches or self.costs_wrenches)
        self.num_substeps = 5
        self.forward_reward_weight = float(forward_reward_weight)
        self.ctrl_cost_weight = float(ctrl_cost_weight)
        self.contact_cost_weight = float(contact_cost_weight)
        self.healthy_reward = float(healthy_reward)
        self.main_body = self.model.body(main_body).id
        self.terminate_when_unhealthy = terminate_when_unhealthy
        self.healthy_z_range = check_range("healthy_z_range", healthy_z_range)
        self.contact_force_range = check_range("contact_force_range", contact_force_range)
        self.reset_noise_scale = check_scale("reset_noise_scale", reset_noise_scale)
        self.hidden_positions = 2 if exclude_current_positions_from_observation else 0
        parts = {"position": self.model.nq - self.hidden_positions, "velocity": self.model.nv}
        if self.observes_wrenches:
            parts["contact_wrench"] = 6 * (self.model.nbody - 1)
        self.observation_layout = consecutive(**parts)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Uniform noise on positions, normal noise on velocities."""
        perturb_normal(model, data, random, self.reset_noise_scale)

    def wrenches(self, data: Fields) -> Array:
        """Clipped contact wrenches of all bodies, the floor's first; (N, 6 · nbody)."""
        xp = array_namespace(data.cfrc_ext)
        low, high = self.contact_force_range
        return xp.reshape(xp.clip(data.cfrc_ext, low, high), (data.cfrc_ext.shape[0], -1))

    def observe(self, data: Fields, out: Array) -> None:
        """Write positions, without x and y if they are hidden, velocities and wrenches."""
        layout = self.observation_layout
        out[:, layout["position"]] = data.qpos[:, self.hidden_positions :]
        out[:, layout["velocity"]] = data.qvel
        if self.observes_wrenches:
            out[:, layout["contact_wrench"]] = self.wrenches(data)[:, 6:]

    def healthy(self, data: Fields) -> Array:
        """Whether each world is healthy, bool of shape (N,)."""
        xp = array_namespace(data.qpos)
        low, high = self.healthy_z_range
        height = data.qpos[:, 2]
        finite = xp.all(xp.isfinite(data.qpos), axis=-1) & xp.all(xp.isfinite(data.qvel), axis=-1)
        return finite & (low <= height) & (height <= high)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write forward velocity plus healthy reward less control and contact costs."""
        seconds = self.model.opt.timestep * self.num_substeps
        moved = data.xpos[:, self.main_body, 0] - data.previous.xpos[:, self.main_body, 0]
        alive = self.healthy(data) * self.healthy_reward
        cost = control_cost(action, self.ctrl_cost_weight)
        if self.costs_wrenches:
            wrenches = self.wrenches(data)
            cost = cost + self.contact_cost_weight * (wrenches * wrenches).sum(-1)
        out[:] = moved / seconds * self.forward_reward_weight + alive - cost

    def fused(self) -> FusedKernel:
        """The many small array operations would cost a twentieth of the speed."""
        # Here, because numba is slow to import and listing tasks needs none of it.
        from envs.tasks.gym.ant_kernel import AntKernel

        return AntKernel(self)

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether each world is unhealthy, unless that ends nothing."""
        out[:] = ~self.healthy(data) if self.terminate_when_unhealthy else False

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): x and y of the torso; `height` (N, 1): its z; metres."""
        return {"position": data.qpos[:, :2], "height": data.qpos[:, 2:3]}


TASKS: Mapping[str, Callable[..., Task]] = {"gym/Ant-v5": Ant}
