"""What Gymnasium's planar bodies share: they are paid for moving along x and staying up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, Task
from envs.tasks.gym.locomotion import (
    check_range,
    check_scale,
    control_cost,
    forward_velocity,
    inside,
    load_model,
)
from envs.tasks.layout import consecutive


@dataclass(frozen=True)
class Health:
    """What a body must keep to be healthy, strictly inside its bounds, and what that is worth."""

    reward: float
    """For each step that ends healthy."""
    ends_episode: bool
    """Whether an unhealthy state is terminal."""
    z_range: tuple[float, float]
    """Bounds on the torso's height (m)."""
    angle_range: tuple[float, float]
    """Bounds on the torso's angle (rad)."""
    state_range: tuple[float, float] | None = None
    """Bounds on all positions but x and z, and on all velocities; None for no bounds."""

    def __post_init__(self) -> None:
        check_range("healthy_z_range", self.z_range)
        check_range("healthy_angle_range", self.angle_range)
        if self.state_range is not None:
            check_range("healthy_state_range", self.state_range)

    def holds(self, data: Fields) -> Array:
        """Whether each world is healthy, bool of shape (N,)."""
        healthy = inside(data.qpos[:, 1], self.z_range) & inside(data.qpos[:, 2], self.angle_range)
        if self.state_range is None:
            return healthy
        xp = array_namespace(data.qpos)
        positions = xp.all(inside(data.qpos[:, 2:], self.state_range), axis=-1)
        velocities = xp.all(inside(data.qvel, self.state_range), axis=-1)
        return healthy & positions & velocities


class PlanarTask(Task):
    """Move forward: forward velocity + reward for being healthy − control cost.

    The first three positions are x and z (m) and the angle (rad) of the torso. Observation:
    positions, without x if it is hidden (m and rad), then velocities (m/s and rad/s).

    Args:
        forward_reward_weight: Weight of the forward velocity (m/s).
        ctrl_cost_weight: Weight of the squared action.
        reset_noise_scale: Scale of the noise on the initial state.
        hides_x: Whether x is left out of the observation.
        health: What counts as healthy; None for a body that is paid for nothing but moving.
    """

    model_file: ClassVar[str]
    """One of the gymnasium package's models."""
    velocity_limit: ClassVar[float | None] = None
    """Magnitude to which observed velocities are clipped (m/s or rad/s)."""
    signal_names: ClassVar[tuple[str, ...]] = ("position", "height")
    previous_fields: ClassVar[tuple[str, ...]] = ("qpos",)
    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"

    def __init__(
        self,
        forward_reward_weight: float,
        ctrl_cost_weight: float,
        reset_noise_scale: float,
        hides_x: bool,
        health: Health | None = None,
    ) -> None:
        self.model = load_model(self.model_file)
        self.health = health
        self.reset_noise_scale = check_scale("reset_noise_scale", reset_noise_scale)
        self._forward_weight = float(forward_reward_weight)
        self._control_weight = float(ctrl_cost_weight)
        self._seconds = self.model.opt.timestep * self.num_substeps
        self._hidden = 1 if hides_x else 0
        self._num_positions = self.model.nq - self._hidden
        self.observation_layout = consecutive(position=self._num_positions, velocity=self.model.nv)

    def observe(self, data: Fields, out: Array) -> None:
        """Write positions, without x if it is hidden, then velocities, clipped if they are."""
        out[:, : self._num_positions] = data.qpos[:, self._hidden :]
        velocities, limit = data.qvel, self.velocity_limit
        if limit is not None:
            velocities = array_namespace(velocities).clip(velocities, -limit, limit)
        out[:, self._num_positions :] = velocities

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write weighted forward velocity plus healthy reward less control cost."""
        gain = self._forward_weight * forward_velocity(data, self._seconds)
        if self.health is not None:
            gain = gain + self.health.holds(data) * self.health.reward
        out[:] = gain - control_cost(action, self._control_weight)

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether each world is unhealthy, unless that ends nothing."""
        if self.health is None or not self.health.ends_episode:
            out[:] = False
        else:
            out[:] = ~self.health.holds(data)

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 1): x of the torso; `height` (N, 1): the model's second position; m."""
        return {"position": data.qpos[:, :1], "height": data.qpos[:, 1:2]}
