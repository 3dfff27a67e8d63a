"""What tabletop tasks with a goal share: where the first box shall go, and what it pays."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.tabletop.arrays import namespace, nearness, norm
from envs.tasks.tabletop.model import NUM_SUBSTEPS
from envs.tasks.tabletop.scene import COVERAGE_CELL, FIELDS, SIGNALS, Scene

Payment = Literal["dense", "sparse"]
PAYMENTS: tuple[Payment, ...] = ("dense", "sparse")
GOAL_SIGNALS = ("success", "goal_position", "goal_distance")


class GoalTask(Task):
    """Bring the first box to a goal.

    Args:
        scene: The table, with a goal in its observation.
        pays: `dense`: 1 in success, else shaping in [0, 0.9]; `sparse`: 1 in success, else 0.
        terminate_when_fallen: End the episode when a box has left the table.
    """

    signal_names: ClassVar[tuple[str, ...]] = (*SIGNALS, *GOAL_SIGNALS)
    fields: ClassVar[tuple[str, ...]] = FIELDS
    derived: ClassVar[Literal["current", "lagged"]] = "lagged"
    random_source: ClassVar[Literal["random_state", "generator"]] = "generator"
    coverage_cell: ClassVar[float] = COVERAGE_CELL

    def __init__(self, scene: Scene, pays: Payment, terminate_when_fallen: bool) -> None:
        if pays not in PAYMENTS:
            raise ValueError(f"reward must be one of {', '.join(PAYMENTS)}; got {pays!r}")
        self.scene = scene
        self.model = scene.model
        self.num_substeps = NUM_SUBSTEPS
        self.observation_layout = scene.layout
        self._pays = pays
        self._terminate_when_fallen = terminate_when_fallen

    @abstractmethod
    def goal(self, data: Fields) -> Array:
        """Where the center of the first box shall be, (N, 3), m."""

    @abstractmethod
    def success(self, data: Fields) -> Array:
        """Whether each world has solved the task at this moment, bool (N,)."""

    @abstractmethod
    def shaping(self, data: Fields) -> Array:
        """Dense reward before success, in [0, 0.9], (N,)."""

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """The hand near home, and boxes anywhere in the middle of the table, at rest."""
        self.scene.reset(data, random)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the scene, the goal, and the goal from the first box; (N, 3 · A + 18 · K + 8)."""
        self.scene.observe(data, out)
        goal, start = self.goal(data), self.observation_layout["goal"].start
        out[:, start : start + 3] = goal
        out[:, start + 3 : start + 6] = goal - self.scene.center(data, 0)

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write 1 in success, else 0 or, if the reward is dense, the shaping."""
        success = self.success(data)
        if self._pays == "sparse":
            out[...] = success
        else:
            out[...] = namespace(data.qpos).where(success, 1.0, self.shaping(data))

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether a box has left the table, unless that ends nothing."""
        out[...] = self._terminate_when_fallen & self.scene.any_fallen(data)

    def signals(self, data: Fields) -> dict[str, Array]:
        """As `Scene.signals`, and the goal.

        `success` (1): 1 or 0; `goal_position` (3): m; `goal_distance` (1): the first box's, m.
        """
        xp = namespace(data.qpos)
        return {
            **self.scene.signals(data),
            "success": xp.astype(self.success(data), data.qpos.dtype)[:, None],
            "goal_position": self.goal(data),
            "goal_distance": self.goal_distance(data)[:, None],
        }

    def goal_distance(self, data: Fields) -> Array:
        """Distance of the first box's center from the goal, (N,), m."""
        return norm(self.goal(data) - self.scene.center(data, 0))

    def reach(self, data: Fields) -> Array:
        """How near the pinch point is to the center of the first box, in [0, 1], (N,)."""
        return nearness(self.scene.distances(data)[:, 0])

    def grasp(self, data: Fields) -> Array:
        """1 where both fingers touch the first box, else 0, (N,)."""
        left, right = self._fingers(data)
        return namespace(left).astype(left & right, data.qpos.dtype)

    def _fingers(self, data: Fields) -> tuple[Array, Array]:
        """Whether the left, and the right, finger touches the first box, bool (N,) each."""
        touches = self.scene.touches(data)
        return touches[:, 0, 0], touches[:, 0, 1]
