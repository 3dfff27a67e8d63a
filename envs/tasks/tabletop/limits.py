"""How far the robot exceeds its limits: the measure that a safety reward keeps low."""

from __future__ import annotations

import mujoco
import numpy as np

from envs.tasks.base import Array, Fields
from envs.tasks.layout import readings
from envs.tasks.tabletop.arrays import like, namespace, norm
from envs.tasks.tabletop.model import HARD_LIMITS, MAX_FORCE, arm_joints

WORKSPACE = {"x": (-0.18, 0.18), "y": (-0.18, 0.18), "z": (-0.02, 0.21)}
"""The box, in m, that the pinch point should stay in; it can leave it by up to 40 mm."""
JOINT_MARGIN = 0.07
"""Share of a joint's range, at both ends, in which it counts as near its limit."""
RATED_SHARE = 0.5
"""Share of a servo's largest force up to which it is not overloaded: 30 N, 1 N m."""
TABLE_FORCE = 20.0
"""Force in N between hand and table that counts as a violation of 1."""
PARTS = ("table", "joints", "workspace", "force")
"""Order of the parts of a violation."""

Constants = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]
"""Of joints (A,): center, reach and margin; of the workspace (3,): low and high; rated forces (A,);
and how far the hard limits leave the workspace."""


class Limits:
    """Violations of N worlds, in four dimensionless parts from 0 (none) to 1 (the worst counted).

    - table: net contact force between the hand and the table or its rim, over 20 N;
    - joints: how far the joint nearest to a hard limit has gone into its last 7% of range;
    - workspace: largest distance of the pinch point outside the workspace along an axis, over what
      the hard limits leave;
    - force: largest servo force beyond half of its maximum, over the other half.

    Forces are those of the last physics step (5 ms) of a control step, as a safety controller that
    samples at 20 Hz would read them: a shorter blow in between goes unseen. After a reset they are
    those of the initial state at rest.

    Args:
        model: The compiled tabletop.
        yaw: Whether the arm has a yaw hinge.
    """

    def __init__(self, model: mujoco.MjModel, yaw: bool) -> None:
        names = arm_joints(yaw)
        self.num_joints = len(names)
        self.table_force = readings(model, "hand_table", 3)
        hard = np.array([HARD_LIMITS[name] for name in names])
        reach = (hard[:, 1] - hard[:, 0]) / 2
        safe = np.array(list(WORKSPACE.values()))
        rated = RATED_SHARE * np.array([MAX_FORCE[name] for name in names])
        beyond = float(hard[0, 1] - safe[0, 1])
        self.constants: Constants = (
            hard.mean(axis=1),
            reach,
            2 * JOINT_MARGIN * reach,
            safe[:, 0].copy(),
            safe[:, 1].copy(),
            rated,
            beyond,
        )

    def parts(self, data: Fields) -> Array:
        """Table, joints, workspace and force, shape (N, 4), each in [0, 1]."""
        xp = namespace(data.qpos)
        *arrays, beyond = self.constants
        center, reach, margin, low, high, rated = (like(array, data.qpos) for array in arrays)
        joints, tip = data.qpos[:, : self.num_joints], data.qpos[:, :3]
        load = xp.abs(data.actuator_force[:, : self.num_joints]) / rated
        outside = xp.maximum(low - tip, tip - high)
        excesses = (
            norm(data.sensordata[:, self.table_force]) / TABLE_FORCE,
            # 0 where the margin before the limit begins, 1 at the limit.
            xp.max((xp.abs(joints - center) - reach) / margin, axis=-1) + 1.0,
            xp.max(outside, axis=-1) / beyond,
            xp.max(load, axis=-1) - 1.0,
        )
        return xp.clip(xp.stack(excesses, axis=-1), 0.0, 1.0)
