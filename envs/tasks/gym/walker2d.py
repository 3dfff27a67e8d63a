"""Walker2d-v5 of Gymnasium: a planar biped paid for walking forward upright."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mujoco

from envs.tasks.base import RandomSource, Task
from envs.tasks.gym.locomotion import perturb_uniform
from envs.tasks.gym.planar import Health, PlanarTask


class Walker2d(PlanarTask):
    """Walk forward: forward velocity + reward for being healthy − control cost.

    Exact against gymnasium's `Walker2d-v5`. Healthy means that the torso's height and angle lie
    strictly inside their ranges.

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s).
        ctrl_cost_weight: Weight of the squared action.
        healthy_reward: Reward for each step that ends healthy.
        terminate_when_unhealthy: End the episode in an unhealthy state; skill discovery: False.
        healthy_z_range: Bounds on the torso's height (m).
        healthy_angle_range: Bounds on the torso's angle (rad).
        reset_noise_scale: Half width of the uniform noise on the initial state.
        exclude_current_positions_from_observation: Hide x. Skill discovery wants it shown: False.
    """

    model_file = "walker2d_v5.xml"
    num_substeps = 4
    velocity_limit = 10.0

    def __init__(
        self,
        *,
        forward_reward_weight: float = 1.0,
        ctrl_cost_weight: float = 1e-3,
        healthy_reward: float = 1.0,
        terminate_when_unhealthy: bool = True,
        healthy_z_range: tuple[float, float] = (0.8, 2.0),
        healthy_angle_range: tuple[float, float] = (-1.0, 1.0),
        reset_noise_scale: float = 5e-3,
        exclude_current_positions_from_observation: bool = True,
    ) -> None:
        ranges = (healthy_z_range, healthy_angle_range)
        health = Health(float(healthy_reward), terminate_when_unhealthy, *ranges)
        hides_x = exclude_current_positions_from_observation
        super().__init__(
            forward_reward_weight, ctrl_cost_weight, reset_noise_scale, hides_x, health
        )

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Uniform noise on positions and velocities."""
        perturb_uniform(model, data, random, self.reset_noise_scale)


TASKS: Mapping[str, Callable[..., Task]] = {"gym/Walker2d-v5": Walker2d}
