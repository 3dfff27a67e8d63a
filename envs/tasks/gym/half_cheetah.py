"""Gymnasium's HalfCheetah-v5: a planar cheetah paid for running forward."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.gym.locomotion import (
    check_scale,
    control_cost,
    forward_velocity,
    load_model,
    perturb_normal,
)


class HalfCheetah(Task):
    """Run forward: reward = forward weight · x velocity − control weight · |action|².

    Observations are joint positions and velocities; episodes never terminate. Exact against
    gymnasium's `HalfCheetah-v5` (Wawrzyński, "A Cat-Like Robot Real-Time Learning to Run", 2009;
    Todorov, Erez and Tassa, "MuJoCo", 2012).

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s).
        ctrl_cost_weight: Weight of the squared action.
        reset_noise_scale: Half width of the initial position noise and deviation of the velocity's.
        exclude_current_positions_from_observation: Hide x. Skill discovery wants it shown: False.
    """

    previous_fields = ("qpos",)
    derived = "lagged"
    random_source = "generator"

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
        return {
            "position": slice(0, self.num_positions),
            "velocity": slice(self.num_positions, self.observation_size),
        }

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        perturb_normal(model, data, random, self.reset_noise_scale)

    def observe(self, data: Fields, out: Array) -> None:
        out[:, : self.num_positions] = data.qpos[:, self.hidden_positions :]
        out[:, self.num_positions :] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        seconds = self.model.opt.timestep * self.num_substeps
        forward = self.forward_reward_weight * forward_velocity(data, seconds)
        out[:] = forward - control_cost(action, self.ctrl_cost_weight)

    def signals(self, data: Fields) -> dict[str, Array]:
        return {"position": data.qpos[:, :1], "height": data.qpos[:, 1:2]}
