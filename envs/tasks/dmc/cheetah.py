"""Cheetah: a planar biped that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, FusedKernel, RandomSource, Task
from envs.tasks.dmc.model import load_model
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.layout import consecutive

RUN_SPEED = 10.0
"""Speed in m/s from which the reward is 1."""
SETTLING_STEPS = 200
"""Physics steps that drop the body to the floor before an episode begins."""


class Cheetah(Task):
    """Run forward: reward grows linearly with speed up to 10 m/s.

    Observation: joint positions without the horizontal one, then all velocities.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position",)
    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel", "sensordata")
    settles: ClassVar[bool] = True

    def __init__(self) -> None:
        self.model = load_model("cheetah.xml")
        self.num_substeps = 1
        self.observation_layout = consecutive(position=self.model.nq - 1, velocity=self.model.nv)
        self._speed = int(self.model.sensor("torso_subtreelinvel").adr[0])

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Random joint angles, then 200 unactuated physics steps to come to rest."""
        limited = model.jnt_limited == 1
        low, high = model.jnt_range[limited].T
        data.qpos[limited] = random.uniform(low, high)
        # The suite finishes a step that its own reset began, hence step2 before anything else.
        mujoco.mj_step2(model, data)
        mujoco.mj_step(model, data, SETTLING_STEPS - 1)
        mujoco.mj_step1(model, data)
        data.time = 0

    def observe(self, data: Fields, out: Array) -> None:
        """Write qpos without the horizontal root, then qvel; shape (N, 17)."""
        out[:, self.observation_layout["position"]] = data.qpos[:, 1:]
        out[:, self.observation_layout["velocity"]] = data.qvel

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write the forward speed's share of 10 m/s, in [0, 1]."""
        speed = data.sensordata[:, self._speed]
        out[:] = tolerance(speed, (RUN_SPEED, float("inf")), RUN_SPEED, "linear", 0.0)

    def fused(self) -> FusedKernel:
        """Physics is so cheap here that array operations would cost a twentieth of the speed."""
        # Here, because numba is slow to import and listing tasks needs none of it.
        from envs.tasks.dmc.cheetah_kernel import CheetahKernel

        return CheetahKernel(self._speed, RUN_SPEED)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): the horizontal position of the torso in metres."""
        return {"position": data.qpos[:, :1]}


TASKS: Mapping[str, Callable[..., Task]] = {"dmc/cheetah-run": Cheetah}
