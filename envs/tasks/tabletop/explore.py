"""Tabletop without a task: boxes to be discovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.tabletop.model import NUM_SUBSTEPS
from envs.tasks.tabletop.scene import COVERAGE_CELL, FIELDS, SIGNALS, Scene


class Explore(Task):
    """Boxes on a table under a two-finger gripper, and no reward: for skill discovery.

    Action in [-1, 1]: displacement of the gripper's target along x, y and z (25 mm at 1), about
    the vertical if `yaw` (0.1 rad at 1), and the fingers' opening (-1 closed, 1 open by 80 mm).
    20 Hz. Observation, in m, rad and s: the arm's A joint positions, velocities, and how far their
    targets are ahead (3 · A; A is 3, or 4 with yaw), the fingers' opening and its velocity (2), and
    for each box (18) its center, the x and y axes of its rotation, linear velocity, angular
    velocity in its own axes, and its center from the pinch point. Signals: see `Scene.signals`.

    The robot is a gantry of servo-driven slides with limited force, not an articulated arm.

    Args:
        num_objects: Boxes of 45 mm and 60 g, 1 to 6.
        yaw: Let the gripper turn about the vertical.
        rim: Keep the boxes on the table by a rim of 30 mm; else its edges are free.
        terminate_when_fallen: End the episode when a box has left the table.
    """

    signal_names: ClassVar[tuple[str, ...]] = SIGNALS
    fields: ClassVar[tuple[str, ...]] = FIELDS
    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"
    time_limit: ClassVar[int] = 150
    coverage_cell: ClassVar[float] = COVERAGE_CELL

    def __init__(
        self,
        *,
        num_objects: int = 1,
        yaw: bool = False,
        rim: bool = True,
        terminate_when_fallen: bool = True,
    ) -> None:
        self._scene = Scene(num_objects, yaw, rim)
        self.model = self._scene.model
        self.num_substeps = NUM_SUBSTEPS
        self.observation_layout = self._scene.layout
        self._terminate_when_fallen = terminate_when_fallen

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """The hand near home, and boxes anywhere in the middle of the table, at rest."""
        self._scene.reset(data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the robot's and the boxes' state, shape (N, 3 · A + 2 + 18 · K)."""
        self._scene.observe(data, out)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 0."""
        out[...] = 0.0

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether a box has left the table, unless that ends nothing."""
        out[...] = self._terminate_when_fallen & self._scene.any_fallen(data)

    def signals(self, data: Fields) -> dict[str, Array]:
        """What `Scene.signals` describes; `position` is the first box's."""
        return self._scene.signals(data)


TASKS: Mapping[str, Callable[..., Task]] = {"tabletop/explore": Explore}
