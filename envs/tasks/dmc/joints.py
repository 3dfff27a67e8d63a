"""Random joint positions, drawn in the order in which the suite draws them."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from envs.tasks.base import RandomSource


def random_rotation(random: RandomSource, limit: float) -> np.ndarray:
    """A unit quaternion (4,) about a random axis, by an angle uniform in [0, `limit`] radians."""
    axis = random.standard_normal(3)
    axis /= np.linalg.norm(axis)
    quaternion = np.zeros(4)
    mujoco.mju_axisAngle2Quat(quaternion, axis, random.uniform() * limit)
    return quaternion


def randomize_joints(model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
    """Draw every joint's position into `data.qpos`, joint by joint in the model's order.

    Limited hinges, slides and balls are uniform within their range; unlimited hinges are uniform
    in [-pi, pi]; unlimited balls and the rotations of free joints become random unit quaternions.
    Unlimited slides and the translations of free joints stay where they are.
    """
    kinds, limited, ranges = model.jnt_type, model.jnt_limited, model.jnt_range
    for joint, start in enumerate(model.jnt_qposadr):
        low, high = ranges[joint] if limited[joint] else (-math.pi, math.pi)
        match kinds[joint]:
            case mujoco.mjtJoint.mjJNT_HINGE:
                data.qpos[start] = random.uniform(low, high)
            case mujoco.mjtJoint.mjJNT_SLIDE if limited[joint]:
                data.qpos[start] = random.uniform(low, high)
            case mujoco.mjtJoint.mjJNT_BALL if limited[joint]:
                data.qpos[start : start + 4] = random_rotation(random, high)
            case mujoco.mjtJoint.mjJNT_BALL:
                quaternion = random.standard_normal(4)
                data.qpos[start : start + 4] = quaternion / np.linalg.norm(quaternion)
            case mujoco.mjtJoint.mjJNT_FREE:
                # Uniform in the positive orthant, so not over all rotations: the suite's choice.
                quaternion = random.uniform(size=4)
                data.qpos[start + 3 : start + 7] = quaternion / np.linalg.norm(quaternion)


def touches(model: mujoco.MjModel, data: mujoco.MjData) -> bool:
    """Whether any two geoms are in contact at `data.qpos`."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)
    return data.ncon > 0
