"""How far the robot exceeds its limits: the measure that a safety reward keeps low."""

from __future__ import annotations

import mujoco
import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields
from envs.tasks.layout import readings
from envs.tasks.tabletop.model import HARD_LIMITS, MAX_FORCE, arm_joints

WORKSPACE = {"x": (-0.25, 0.25), "y": (-0.25, 0.25), "z": (-0.02, 0.25)}
"""The box, in m, that the pinch point should stay in; it can leave it by up to 50 mm."""
JOINT_MARGIN = 0.07
"""Share of a joint's range, at both ends, in which it counts as near its limit."""
RATED_SHARE = 0.5
"""Share of a servo's largest force up to which it is not overloaded: 30 N, 1 N m."""
TABLE_FORCE = 20.0
"""Force in N between hand and table that counts as a violation of 1."""
PARTS = ("table", "joints", "workspace", "force")
"""Order of the parts of a violation."""


class Limits:
    """Violations of N worlds, in four dimensionless parts from 0 (none) to 1 (the worst counted).

    - table: net contact force between the hand and the table or its rim, over 20 N;
    - joints: how far the joint nearest to a hard limit has gone into its last 7% of range;
    - workspace: largest distance of the pinch point outside the workspace along an axis, over what
      the hard limits leave;
    - force: largest servo force beyond half of its maximum, over the other half.

    Forces are those of the last physics step (5 ms) of a control step, as a safety controller that
    samples at 20 Hz would read them: a shorter blow in between goes unseen. After a reset they are
    those of the initial state without actuation.

    Args:
        model: The compiled tabletop.
        yaw: Whether the arm has a yaw hinge.
    """

    def __init__(self, model: mujoco.MjModel, yaw: bool) -> None:
        names = arm_joints(yaw)
        self._num_joints = len(names)
        self._table_force = readings(model, "hand_table", 3)
        hard = np.array([HARD_LIMITS[name] for name in names])
        self._center = hard.mean(axis=1)
        self._reach = (hard[:, 1] - hard[:, 0]) / 2
        self._margin = 2 * JOINT_MARGIN * self._reach
        safe = np.array(list(WORKSPACE.values()))
        self._safe_low, self._safe_high = safe.T
        self._beyond = hard[0, 1] - safe[0, 1]
        self._rated = RATED_SHARE * np.array([MAX_FORCE[name] for name in names])

    def parts(self, data: Fields) -> Array:
        """Table, joints, workspace and force, shape (N, 4), each in [0, 1]."""
        xp = array_namespace(data.qpos)
        joints = data.qpos[:, : self._num_joints]
        force = data.sensordata[:, self._table_force]
        load = xp.abs(data.actuator_force[:, : self._num_joints])
        excesses = (
            xp.sqrt(xp.sum(force * force, axis=-1)) / TABLE_FORCE,
            self._joint_excess(xp, joints),
            self._workspace_excess(xp, joints[:, :3]),
            xp.max(load / like(self._rated, load) - 1.0, axis=-1),
        )
        return xp.clip(xp.stack(excesses, axis=-1), 0.0, 1.0)

    def _joint_excess(self, xp: Array, joints: Array) -> Array:
        """1 at a hard limit, 0 where the margin before it begins, negative inside; (N,)."""
        from_center = xp.abs(joints - like(self._center, joints))
        past = from_center - like(self._reach, joints)
        return xp.max(past / like(self._margin, joints), axis=-1) + 1.0

    def _workspace_excess(self, xp: Array, tip: Array) -> Array:
        outside = xp.maximum(like(self._safe_low, tip) - tip, tip - like(self._safe_high, tip))
        return xp.max(outside, axis=-1) / self._beyond


def like(constant: np.ndarray, array: Array) -> Array:
    """`constant` in the kind, dtype and place of `array`."""
    if isinstance(array, np.ndarray):
        return constant
    xp = array_namespace(array)
    return xp.asarray(constant, dtype=array.dtype, device=array.device)
