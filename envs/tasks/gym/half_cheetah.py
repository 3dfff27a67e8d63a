"""HalfCheetah-v5 of Gymnasium: a planar cheetah paid for running forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mujoco

from envs.tasks.base import RandomSource, Task
from envs.tasks.gym.locomotion import perturb_normal
from envs.tasks.gym.planar import PlanarTask


class HalfCheetah(PlanarTask):
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

    model_file = "half_cheetah.xml"
    num_substeps = 5

    def __init__(
        self,
        *,
        forward_reward_weight: float = 1.0,
        ctrl_cost_weight: float = 0.1,
        reset_noise_scale: float = 0.1,
        exclude_current_positions_from_observation: bool = True,
    ) -> None:
        hides_x = exclude_current_positions_from_observation
        super().__init__(forward_reward_weight, ctrl_cost_weight, reset_noise_scale, hides_x)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Uniform noise on positions, normal noise on velocities."""
        perturb_normal(model, data, random, self.reset_noise_scale)


TASKS: Mapping[str, Callable[..., Task]] = {"gym/HalfCheetah-v5": HalfCheetah}
