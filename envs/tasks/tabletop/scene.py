"""What all tabletop tasks share: the model, resets, the observation, the side signals."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from envs.tasks.base import Array, Fields, RandomSource
from envs.tasks.layout import consecutive
from envs.tasks.tabletop.arrays import like, namespace, norm, rotation_axes
from envs.tasks.tabletop.limits import TABLE_FORCE, Limits
from envs.tasks.tabletop.model import (
    HALF_BOX,
    MAX_OPENING,
    arm_joints,
    compile_model,
    target_speeds,
)

SIGNALS = (
    "position", "object_position", "gripper_position", "gripper_object_distance", "violation",
    "violation_parts", "object_contact", "object_grasp", "object_fallen",
)  # fmt: skip
"""Names of the side signals; see `Scene.signals`."""
FIELDS = ("qpos", "qvel", "act", "sensordata", "actuator_force")
REGION = 0.12
"""Boxes begin, and goals lie, within this distance in m of the center along x and y."""
SEPARATION = 0.08
"""Smallest distance in m between the centers of two boxes at the beginning."""
FALLEN = -0.05
"""A box whose center is lower than this, in m, has left the table."""
COVERAGE_CELL = 0.05
"""Side in m of a coverage cell: about that of a box."""
MAX_DRAWS = 10_000
POSE, TWIST = 7, 6
"""Elements of qpos and qvel that belong to a box."""
OBJECT_WIDTH = 18
"""Numbers in the observation that belong to a box."""


class Scene:
    """A gripper over a table with boxes.

    Args:
        num_objects: Number of boxes K, 1 to 6.
        yaw: Whether the gripper turns about the vertical, which adds an action.
        rim: Whether a rim of 30 mm keeps the boxes on the table.
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
        # Here, because numba is slow to import and listing tasks needs none of it.
        from envs.tasks.tabletop import kernel

        self._kernels = kernel
        # Two fingers lie between the arm and the boxes.
        self._first = self._arm + 2
        self.first_box = slice(self._first, self._first + 3)
        self._touches = int(self.model.sensor("left_object_0").adr[0])
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
        home = np.array([*random.uniform(-0.03, 0.03, size=2), random.uniform(0.08, 0.14)])
        data.qpos[:3] = home
        data.act[:3] = home / self._speeds[:3]
        data.qpos[self._arm : self._first] = MAX_OPENING / 4
        poses = self._poses(data.qpos[None])[0]
        for index, pose in enumerate(poses):
            center = draw_apart(random, poses[:index, :2], SEPARATION)
            angle = random.uniform(-math.pi, math.pi)
            pose[:] = *center, HALF_BOX, math.cos(angle / 2), 0, 0, math.sin(angle / 2)

    def tip(self, data: Fields) -> Array:
        """Pinch point between the fingers, (N, 3), m."""
        return data.qpos[:, :3]

    def centers(self, data: Fields) -> Array:
        """Centers of all boxes, (N, K, 3), m."""
        return self._poses(data.qpos)[:, :, :3]

    def center(self, data: Fields, index: int) -> Array:
        """Center of a box, (N, 3), m."""
        start = self._first + POSE * index
        return data.qpos[:, start : start + 3]

    def speed(self, data: Fields, index: int) -> Array:
        """Linear speed of a box, (N,), m/s."""
        start = self._first + TWIST * index
        return norm(data.qvel[:, start : start + 3])

    def distances(self, data: Fields) -> Array:
        """Distance from the pinch point to the center of each box, (N, K), m."""
        return norm(self.centers(data) - data.qpos[:, None, :3])

    def touches(self, data: Fields) -> Array:
        """Whether the left and the right finger touch each box, bool (N, K, 2)."""
        stop = self._touches + 2 * self.num_objects
        found = data.sensordata[:, self._touches : stop] > 0
        return namespace(found).reshape(found, (-1, self.num_objects, 2))

    def fallen(self, data: Fields) -> Array:
        """Whether each box has left the table, bool (N, K)."""
        return data.qpos[:, self._first + 2 :: POSE] < FALLEN

    def any_fallen(self, data: Fields) -> Array:
        """Whether any box has left the table, bool (N,)."""
        fallen = self.fallen(data)
        return namespace(fallen).any(fallen, axis=-1)

    def observe(self, data: Fields, out: Array) -> None:
        """Write the robot's and the boxes' parts, as `Explore` describes them."""
        if not isinstance(data.qpos, np.ndarray):
            return self.observe_arrays(data, out)
        fields = data.qpos, data.qvel, data.act
        return self._kernels.write_observations(
            fields, self._arm, self.num_objects, self._speeds, out
        )

    def observe_arrays(self, data: Fields, out: Array) -> None:
        """What `observe` writes, in array functions alone."""
        arm = self._arm
        positions = data.qpos[:, :arm]
        out[:, :arm] = positions
        out[:, arm : 2 * arm] = data.qvel[:, :arm]
        out[:, 2 * arm : 3 * arm] = data.act[:, :arm] * like(self._speeds, data.act) - positions
        out[:, 3 * arm] = 2.0 * data.qpos[:, arm]
        out[:, 3 * arm + 1] = 2.0 * data.qvel[:, arm]
        xp, part = namespace(out), self.layout["objects"]
        poses = self._poses(data.qpos)
        centers = poses[:, :, :3]
        twists = xp.reshape(data.qvel[:, self._first :], (-1, self.num_objects, TWIST))
        rows = xp.concat(
            (centers, rotation_axes(poses[:, :, 3:]), twists, centers - data.qpos[:, None, :3]),
            axis=-1,
        )
        out[:, part] = xp.reshape(rows, (-1, part.stop - part.start))

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

        Contacts are those of the last physics step (5 ms) of the control step.
        """
        if not isinstance(data.qpos, np.ndarray):
            return self.signal_arrays(data)
        num = self.num_objects
        rows = np.empty((len(data.qpos), 6 + 3 * num))
        self._kernels.write_signals(
            (data.qpos, data.sensordata, data.actuator_force),
            self._arm,
            num,
            (self._touches, self.limits.table_force.start),
            self.limits.constants,
            TABLE_FORCE,
            FALLEN,
            rows,
        )
        return {
            **self._places(data),
            "gripper_object_distance": rows[:, :1],
            "violation": rows[:, 1:2],
            "violation_parts": rows[:, 2:6],
            "object_contact": rows[:, 6 : 6 + num],
            "object_grasp": rows[:, 6 + num : 6 + 2 * num],
            "object_fallen": rows[:, 6 + 2 * num :],
        }

    def signal_arrays(self, data: Fields) -> dict[str, Array]:
        """What `signals` returns, in array functions alone."""
        xp = namespace(data.qpos)
        dtype = data.qpos.dtype
        parts, touches = self.limits.parts(data), self.touches(data)
        return {
            **self._places(data),
            "gripper_object_distance": xp.min(self.distances(data), axis=-1, keepdims=True),
            "violation": xp.sum(parts, axis=-1, keepdims=True),
            "violation_parts": parts,
            "object_contact": xp.astype(touches[:, :, 0] | touches[:, :, 1], dtype),
            "object_grasp": xp.astype(touches[:, :, 0] & touches[:, :, 1], dtype),
            "object_fallen": xp.astype(self.fallen(data), dtype),
        }

    def _places(self, data: Fields) -> dict[str, Array]:
        centers = self.centers(data)
        return {
            "position": self.center(data, 0)[:, :2],
            "object_position": namespace(centers).reshape(centers, (-1, 3 * self.num_objects)),
            "gripper_position": self.tip(data),
        }

    def _poses(self, qpos: Array) -> Array:
        """Positions and quaternions of all boxes, (N, K, 7)."""
        shape = (-1, self.num_objects, POSE)
        return namespace(qpos).reshape(qpos[:, self._first :], shape)


def draw_apart(random: RandomSource, others: np.ndarray, distance: float) -> np.ndarray:
    """Draw x and y uniformly in the region, at least `distance` m from all `others` (M, 2); (2,).

    Raises:
        RuntimeError: if 10,000 draws find no such place.
    """
    for _ in range(MAX_DRAWS):
        place = np.asarray(random.uniform(-REGION, REGION, size=2))
        if (np.linalg.norm(others - place, axis=-1) >= distance).all():
            return place
    raise RuntimeError(f"no place {distance} m away from {len(others)} others in {MAX_DRAWS} draws")
