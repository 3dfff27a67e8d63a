"""Pushing a box to a place, lifting it, and stacking it on another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.tabletop.arrays import namespace, nearness, norm
from envs.tasks.tabletop.goal_task import GoalTask, Payment
from envs.tasks.tabletop.model import HALF_BOX
from envs.tasks.tabletop.scene import FIELDS, Scene, draw_apart

RADIUS = 0.05
"""A box whose center is this near to its goal, in m, is there."""
PUSH_DISTANCE = 0.1
"""Smallest distance in m from where the box begins to where it shall be pushed."""
LIFT_HEIGHTS = (0.1, 0.18)
"""Range of heights, in m, to which a box shall be lifted."""
STACK_RADIUS, STACK_HEIGHT = 0.02, 0.005
"""How far, in m, a stacked box may be beside the center of the other, and off its top."""
STACK_SPEED = 0.05
"""A box faster than this, in m/s, is not stacked yet."""
DETOUR, SLOPE = 0.06, 2.0
"""The way onto a stack leads from above: m at most, and m of height per m of distance."""


class Push(GoalTask):
    """Push the first box to a goal on the table.

    Success: its center is within 50 mm of the goal, which lies 0.1 m or more from where the box
    began. Dense reward without success: 0.2 · near(gripper, box) + 0.7 · near(box, goal), where
    near(d) = 1 − tanh(5 d) of a distance in m. Observation: as `tabletop/explore`, then the goal
    (3) and the goal from the box (3).

    Args:
        reward: `dense`, or `sparse`: 1 in success, else 0.
        num_objects: Boxes, 1 to 6; the first is to be pushed.
        yaw: Let the gripper turn about the vertical.
        rim: Keep the boxes on the table by a rim of 30 mm; else its edges are free.
        terminate_when_fallen: End the episode when a box has left the table.
    """

    fields: ClassVar[tuple[str, ...]] = (*FIELDS, "mocap_pos")
    time_limit: ClassVar[int] = 100

    def __init__(
        self,
        *,
        reward: Payment = "dense",
        num_objects: int = 1,
        yaw: bool = False,
        rim: bool = True,
        terminate_when_fallen: bool = True,
    ) -> None:
        scene = Scene(num_objects, yaw, rim, goal=True, marker=True)
        super().__init__(scene, reward, terminate_when_fallen)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """As for exploration; the goal anywhere in the middle, not near where the box begins."""
        super().reset(model, data, random)
        start = data.qpos[self.scene.first_box][None, :2]
        data.mocap_pos[0] = *draw_apart(random, start, PUSH_DISTANCE), HALF_BOX

    def goal(self, data: Fields) -> Array:
        """The marker, (N, 3)."""
        return data.mocap_pos[:, 0]

    def success(self, data: Fields) -> Array:
        """Whether the box is within 50 mm of the goal, (N,)."""
        return self.goal_distance(data) <= RADIUS

    def shaping(self, data: Fields) -> Array:
        """Being near the box, and its being near the goal, (N,)."""
        return 0.2 * self.reach(data) + 0.7 * nearness(self.goal_distance(data))


class Lift(GoalTask):
    """Grasp the first box and lift it straight up to a goal 0.1 to 0.18 m above the table.

    Success: its center is within 50 mm of the goal, and both fingers touch it. Dense reward without
    success: 0.2 · near(gripper, box) + 0.2 · grasp + 0.5 · near(box, goal), where grasp is 1 when
    both fingers touch the box, else 0. Observation and near: as `tabletop/push`.

    Args:
        reward: `dense`, or `sparse`: 1 in success, else 0.
        num_objects: Boxes, 1 to 6; the first is to be lifted.
        yaw: Let the gripper turn about the vertical.
        rim: Keep the boxes on the table by a rim of 30 mm; else its edges are free.
        terminate_when_fallen: End the episode when a box has left the table.
    """

    fields: ClassVar[tuple[str, ...]] = (*FIELDS, "mocap_pos")
    time_limit: ClassVar[int] = 150

    def __init__(
        self,
        *,
        reward: Payment = "dense",
        num_objects: int = 1,
        yaw: bool = False,
        rim: bool = True,
        terminate_when_fallen: bool = True,
    ) -> None:
        scene = Scene(num_objects, yaw, rim, goal=True, marker=True)
        super().__init__(scene, reward, terminate_when_fallen)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """As for exploration; the goal above the box."""
        super().reset(model, data, random)
        data.mocap_pos[0] = *data.qpos[self.scene.first_box][:2], random.uniform(*LIFT_HEIGHTS)

    def goal(self, data: Fields) -> Array:
        """The marker, (N, 3)."""
        return data.mocap_pos[:, 0]

    def success(self, data: Fields) -> Array:
        """Whether the box is held within 50 mm of the goal, (N,)."""
        return (self.goal_distance(data) <= RADIUS) & (self.grasp(data) > 0)

    def shaping(self, data: Fields) -> Array:
        """Being near the box, holding it, and its being near the goal, (N,)."""
        place = nearness(self.goal_distance(data))
        return 0.2 * self.reach(data) + 0.2 * self.grasp(data) + 0.5 * place


class Stack(GoalTask):
    """Put the first box on the second and let go.

    Success: no finger touches the first box, which rests (slower than 50 mm/s) with its center
    within 20 mm beside the center of the second and within 5 mm of where lying flat on it puts it;
    that is the goal, which moves with the second box. Dense reward without success: as
    `tabletop/lift`, but near the goal is counted along a funnel that leads up to 60 mm above
    it, because the straight way runs into the second box. Observation: as `tabletop/push`.

    Args:
        reward: `dense`, or `sparse`: 1 in success, else 0.
        num_objects: Boxes, 2 to 6.
        yaw: Let the gripper turn about the vertical.
        rim: Keep the boxes on the table by a rim of 30 mm; else its edges are free.
        terminate_when_fallen: End the episode when a box has left the table.
    """

    time_limit: ClassVar[int] = 200

    def __init__(
        self,
        *,
        reward: Payment = "dense",
        num_objects: int = 2,
        yaw: bool = False,
        rim: bool = True,
        terminate_when_fallen: bool = True,
    ) -> None:
        if num_objects < 2:
            raise ValueError(f"stacking needs num_objects of 2 or more, got {num_objects}")
        scene = Scene(num_objects, yaw, rim, goal=True)
        super().__init__(scene, reward, terminate_when_fallen)

    def goal(self, data: Fields) -> Array:
        """A box's height above the center of the second box, (N, 3)."""
        lower = self.scene.center(data, 1)
        xp = namespace(lower)
        return xp.concat((lower[:, :2], lower[:, 2:] + 2 * HALF_BOX), axis=-1)

    def success(self, data: Fields) -> Array:
        """Whether the first box lies on the second and is let go, (N,)."""
        gap = self.scene.center(data, 0) - self.goal(data)
        xp = namespace(gap)
        on_top = (norm(gap[:, :2]) <= STACK_RADIUS) & (xp.abs(gap[:, 2]) <= STACK_HEIGHT)
        left, right = self._fingers(data)
        return on_top & ~(left | right) & (self.scene.speed(data, 0) <= STACK_SPEED)

    def shaping(self, data: Fields) -> Array:
        """Being near the first box, holding it, and its being near the funnel's end, (N,)."""
        gap = self.scene.center(data, 0) - self.goal(data)
        xp = namespace(gap)
        beside = norm(gap[:, :2])
        above = gap[:, 2] - xp.clip(SLOPE * (beside - STACK_RADIUS), 0.0, DETOUR)
        place = nearness(xp.sqrt(beside * beside + above * above))
        return 0.2 * self.reach(data) + 0.2 * self.grasp(data) + 0.5 * place


TASKS: Mapping[str, Callable[..., Task]] = {
    "tabletop/push": Push,
    "tabletop/lift": Lift,
    "tabletop/stack": Stack,
}
