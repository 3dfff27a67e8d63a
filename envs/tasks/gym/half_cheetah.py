"""HalfCheetah-v5 of Gymnasium: a planar cheetah paid for running forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.gym.locomotion import (
    check_scale,
    control_cost,
    forward_velocity,
    load_model,
    perturb_normal,
    position_velocity_layout,
)


class HalfCheetah(Task):
    """Run forward: reward = forward weight · x velocity − control weight · |action|².

    Exact against gymnasium's `HalfCheetah-v5` (task: Wawrzyński, "A Cat-Like Robot Real-Time
    Learning to Run", 2009). Episodes never terminate.

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s).
        ctrl_cost_weight: Weight of the squared action.
        reset_noise_scale: Half width of the initial positions' noise and deviation of the
            velocities'.
        exclude_current_positions_from_observation: Hide x. Skill discovery wants it shown: False.
    """

    previous_fields: ClassVar[tuple[str, ...]] = ("qpos",)
    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"

    def __init__(
        self,
        *,
        forward_reward_weight: float = 1.0,
        ctrl_cost_weight: float = 0.1,
        reset_noise_scale: float = 0.1,
        exclude_current_positions_from_observation: bool = True,
    ) -> None:
        self.model = load_model("half_cheetah.xml")
        self.num_substeps = 5
        self.forward_reward_weight = float(forward_reward_weight)
        self.ctrl_cost_weight = float(ctrl_cost_weight)
        self.reset_noise_scale = check_scale("reset_noise_scale", reset_noise_scale)
        self.hidden_positions = 1 if exclude_current_positions_from_observation else 0
        self.num_positions = self.model.nq - self.hidden_positions
        self.observation_size = self.num_positions + self.model.nv

    @property
    def observation_layout(self) -> Mapping[str, slice]:
        """Positions (9, or 8 without x; m and rad), then 9 velocities (m/s and rad/s)."""
        return position_velocity_layout(self.num_positions, self.model.nv)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Uniform noise on positions, normal noise on velocities."""
        perturb_normal(model, data, random, self.reset_noise_scale)

    def observe(self, data: Fields, out: Array) -> None:
        """Write positions, without x if it is hidden, then velocities."""
        out[:, : self.num_positions] = data.qpos[:, self.hidden_positions :]
        out[:, self.num_positions :] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write the weighted forward velocity less the control cost."""
        seconds = self.model.opt.timestep * self.num_substeps
        forward = self.forward_reward_weight * forward_velocity(data, seconds)
        out[:] = forward - control_cost(action, self.ctrl_cost_weight)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): x in metres; `height` (N, 1): z less its initial value, metres."""
        return {"position": data.qpos[:, :1], "height": data.qpos[:, 1:2]}


TASKS: Mapping[str, Callable[..., Task]] = {"gym/HalfCheetah-v5": HalfCheetah}
