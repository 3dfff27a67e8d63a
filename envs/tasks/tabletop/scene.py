"""What all tabletop tasks share: the model, resets, the observation, the side signals."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource
from envs.tasks.layout import consecutive, readings
from envs.tasks.tabletop.limits import Limits, like
from envs.tasks.tabletop.model import (
    HALF_BOX,
    MAX_OPENING,
    arm_joints,
    compile_model,
    target_speeds,
)

FIELDS = ("qpos", "qvel", "act", "sensordata", "actuator_force")
REGION = 0.18
"""Boxes begin, and goals lie, within this distance in m of the center along x and y."""
SEPARATION = 0.08
"""Smallest distance in m between the centers of two boxes at the beginning."""
FALLEN = -0.05
"""A box whose center is lower than this, in m, has left the table."""
MAX_DRAWS = 10_000
OBJECT_WIDTH = 18
"""Numbers in the observation that belong to a box."""
POSE, TWIST = 7, 6
"""Elements of qpos and qvel that belong to a box."""


class Scene:
    """A gripper over a table with boxes.

    Args:
        num_objects: Number of boxes K, 1 to 6.
        yaw: Whether the gripper turns about the vertical, which adds an action.
        rim: Whether a rim of 20 mm keeps the boxes on the table.
        goal: Whether the observation ends with a goal, six numbers that the task writes.
        marker: Whether a body without contacts marks the goal.
    """

    def __init__(
        self, num_objects: int, yaw: bool, rim: bool, goal: bool = False, marker: bool = False
    ) -> None:
        self.model = compile_model(num_objects, yaw, rim, marker)
        self.num_objects = num_objects
        self.limits = Limits(self.model, yaw)
        self._arm = len(arm_joints(yaw))
        self._speeds = np.array(target_speeds(yaw))
        self._first_pose, self._first_twist = self._arm + 2, self._arm + 2
        sensors = [
            (
                readings(self.model, f"object_{index}_x", 6),
                readings(self.model, f"left_object_{index}", 2),
            )
            for index in range(num_objects)
        ]
        self._axes = [axes for axes, _ in sensors]
        self._touches = np.array([[touch.start, touch.start + 1] for _, touch in sensors])
        self.layout = consecutive(
            arm_position=self._arm,
            arm_velocity=self._arm,
            arm_target=self._arm,
            gripper_opening=2,
            objects=OBJECT_WIDTH * num_objects,
            **({"goal": 6} if goal else {}),
        )

    def reset(self, data: mujoco.MjData, random: RandomSource) -> None:
        """The hand above the table, half open; boxes flat on it, anywhere in the region, at rest.

        Raises:
            RuntimeError: if 10,000 draws find no place for a box; six boxes have room.
        """
        home = [*random.uniform(-0.03, 0.03, size=2), random.uniform(0.12, 0.18)]
        data.qpos[:3] = home
        data.act[:3] = np.array(home) / self._speeds[:3]
        data.qpos[self._arm : self._arm + 2] = MAX_OPENING / 4
        centers: list[np.ndarray] = []
        for index in range(self.num_objects):
            center = draw_apart(random, centers, SEPARATION)
            centers.append(center)
            angle = random.uniform(-math.pi, math.pi)
            start = self._first_pose + POSE * index
            data.qpos[start : start + 3] = *center, HALF_BOX
            data.qpos[start + 3 : start + POSE] = math.cos(angle / 2), 0, 0, math.sin(angle / 2)

    def place(self, data: mujoco.MjData, index: int) -> np.ndarray:
        """Center of a box in one world, a view (3,), m."""
        start = self._first_pose + POSE * index
        return data.qpos[start : start + 3]

    def tip(self, data: Fields) -> Array:
        """Pinch point between the fingers, (N, 3), m."""
        return data.qpos[:, :3]

    def center(self, data: Fields, index: int) -> Array:
        """Center of a box, (N, 3), m."""
        start = self._first_pose + POSE * index
        return data.qpos[:, start : start + 3]

    def centers(self, data: Fields) -> Array:
        """Centers of all boxes, (N, K, 3), m."""
        poses = data.qpos[:, self._first_pose :]
        shape = (-1, self.num_objects, POSE)
        return array_namespace(poses).reshape(poses, shape)[:, :, :3]

    def speed(self, data: Fields, index: int) -> Array:
        """Linear speed of a box, (N,), m/s."""
        start = self._first_twist + TWIST * index
        return norm(data.qvel[:, start : start + 3])

    def distances(self, data: Fields) -> Array:
        """Distance from the pinch point to the center of each box, (N, K), m."""
        return norm(self.centers(data) - self.tip(data)[:, None, :])

    def touches(self, data: Fields) -> Array:
        """Whether the left and the right finger touch each box, bool (N, K, 2)."""
        return data.sensordata[:, self._touches] > 0

    def fallen(self, data: Fields) -> Array:
        """Whether each box has left the table, bool (N, K)."""
        return data.qpos[:, self._first_pose + 2 :: POSE] < FALLEN

    def any_fallen(self, data: Fields) -> Array:
        """Whether any box has left the table, bool (N,)."""
        return array_namespace(data.qpos).any(self.fallen(data), axis=-1)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the robot's and the boxes' parts; see the tasks' docstrings."""
        layout, arm = self.layout, self._arm
        positions = data.qpos[:, :arm]
        out[:, layout["arm_position"]] = positions
        out[:, layout["arm_velocity"]] = data.qvel[:, :arm]
        speeds = like(self._speeds, data.act)
        out[:, layout["arm_target"]] = data.act[:, :arm] * speeds - positions
        opening = layout["gripper_opening"].start
        out[:, opening] = 2 * data.qpos[:, arm]
        out[:, opening + 1] = 2 * data.qvel[:, arm]
        tip = self.tip(data)
        for index in range(self.num_objects):
            start = layout["objects"].start + OBJECT_WIDTH * index
            center, twist = self.center(data, index), self._first_twist + TWIST * index
            out[:, start : start + 3] = center
            out[:, start + 3 : start + 9] = data.sensordata[:, self._axes[index]]
            out[:, start + 9 : start + 15] = data.qvel[:, twist : twist + TWIST]
            out[:, start + 15 : start + 18] = center - tip

    def signals(self, data: Fields) -> dict[str, Array]:
        """Side signals of N worlds, each (N, d).

        - `position` (2): x and y of the first box, m, which coverage counts;
        - `object_position` (3K): centers of all boxes, m;
        - `gripper_position` (3): the pinch point, m;
        - `gripper_object_distance` (1): from the pinch point to the nearest box's center, m;
        - `violation` (1): sum of the parts, in [0, 4], dimensionless;
        - `violation_parts` (4): table, joints, workspace, force: see `Limits`;
        - `object_contact` (K): 1 where a finger touches the box, else 0;
        - `object_grasp` (K): 1 where both fingers touch it, else 0;
        - `object_fallen` (K): 1 where the box has left the table, else 0.
        """
        xp = array_namespace(data.qpos)
        dtype = data.qpos.dtype
        parts, touches = self.limits.parts(data), self.touches(data)
        return {
            "position": self.center(data, 0)[:, :2],
            "object_position": xp.reshape(self.centers(data), (-1, 3 * self.num_objects)),
            "gripper_position": self.tip(data),
            "gripper_object_distance": xp.min(self.distances(data), axis=-1, keepdims=True),
            "violation": xp.sum(parts, axis=-1, keepdims=True),
            "violation_parts": parts,
            "object_contact": xp.astype(xp.any(touches, axis=-1), dtype),
            "object_grasp": xp.astype(xp.all(touches, axis=-1), dtype),
            "object_fallen": xp.astype(self.fallen(data), dtype),
        }


def norm(vectors: Array) -> Array:
    """Lengths along the last axis."""
    xp = array_namespace(vectors)
    return xp.sqrt(xp.sum(vectors * vectors, axis=-1))


def draw_apart(random: RandomSource, others: list[np.ndarray], distance: float) -> np.ndarray:
    """Draw x and y uniformly in the region, at least `distance` m from all others; shape (2,).

    Raises:
        RuntimeError: if 10,000 draws find no such place.
    """
    for _ in range(MAX_DRAWS):
        place = np.asarray(random.uniform(-REGION, REGION, size=2))
        if all(np.linalg.norm(place - other) >= distance for other in others):
            return place
    raise RuntimeError(f"no place {distance} m away from {len(others)} others in {MAX_DRAWS} draws")
