"""The scene's observation and side signals in one compiled pass over the worlds each.

The array functions of `Scene` and `Limits` define them; a dozen worlds cost those as much as the
physics of two.
"""

from __future__ import annotations

import math
from typing import Any

import numba


@numba.njit(cache=True)
def write_observations(fields: Any, arm: int, num_objects: int, speeds: Any, out: Any) -> None:
    """Write what `Scene.observe_arrays` writes, from qpos, qvel and act."""
    qpos, qvel, act = fields
    for world in range(qpos.shape[0]):
        position, velocity, row = qpos[world], qvel[world], out[world]
        for i in range(arm):
            row[i] = position[i]
            row[arm + i] = velocity[i]
            row[2 * arm + i] = act[world, i] * speeds[i] - position[i]
        row[3 * arm] = 2.0 * position[arm]
        row[3 * arm + 1] = 2.0 * velocity[arm]
        for index in range(num_objects):
            pose = position[arm + 2 + 7 * index :]
            twist = velocity[arm + 2 + 6 * index :]
            part = row[3 * arm + 2 + 18 * index :]
            for i in range(3):
                part[i] = pose[i]
                part[15 + i] = pose[i] - position[i]
            for i in range(6):
                part[9 + i] = twist[i]
            _write_axes(pose[3], pose[4], pose[5], pose[6], part[3:])


@numba.njit(cache=True)
def _write_axes(w: float, x: float, y: float, z: float, out: Any) -> None:
    """The x and y axes of the frame that a unit quaternion turns to."""
    double_x, double_y, double_z = x + x, y + y, z + z
    xy, wz, zz = double_x * y, double_z * w, double_z * z
    out[0] = 1.0 - double_y * y - zz
    out[1] = xy + wz
    out[2] = double_z * x - double_y * w
    out[3] = xy - wz
    out[4] = 1.0 - double_x * x - zz
    out[5] = double_z * y + double_x * w


@numba.njit(cache=True)
def _share(value: float) -> float:
    """`value` clipped to [0, 1]; NaN stays."""
    return 0.0 if value < 0.0 else (1.0 if value > 1.0 else value)


@numba.njit(cache=True)
def write_signals(
    fields: Any,
    arm: int,
    num_objects: int,
    sensors: Any,
    limits: Any,
    table_force: float,
    fallen: float,
    out: Any,
) -> None:
    """Write what `Scene.signal_arrays` returns, side by side in its order, but for its views.

    Distance, violation and its parts, then contact, grasp and fall of every box: 6 + 3 · K columns.
    `sensors` holds the first touch's and the table force's places; `limits` is `Limits.constants`.
    """
    qpos, sensordata, forces = fields
    centers, reaches, margins, safe_low, safe_high, rated, beyond = limits
    touch, table = sensors
    for world in range(qpos.shape[0]):
        position, sensed, row = qpos[world], sensordata[world], out[world]
        nearest = math.inf
        for index in range(num_objects):
            pose = position[arm + 2 + 7 * index :]
            dx, dy, dz = pose[0] - position[0], pose[1] - position[1], pose[2] - position[2]
            nearest = min(nearest, math.sqrt(dx * dx + dy * dy + dz * dz))
            left, right = sensed[touch + 2 * index] > 0, sensed[touch + 2 * index + 1] > 0
            row[6 + index] = left or right
            row[6 + num_objects + index] = left and right
            row[6 + 2 * num_objects + index] = pose[2] < fallen
        row[0] = nearest
        near_limit, outside, load = -math.inf, -math.inf, -math.inf
        for i in range(arm):
            past = abs(position[i] - centers[i]) - reaches[i]
            near_limit = max(near_limit, past / margins[i])
            load = max(load, abs(forces[world, i]) / rated[i])
        for i in range(3):
            outside = max(outside, safe_low[i] - position[i], position[i] - safe_high[i])
        push = math.sqrt(sensed[table] ** 2 + sensed[table + 1] ** 2 + sensed[table + 2] ** 2)
        row[2] = _share(push / table_force)
        row[3] = _share(near_limit + 1.0)
        row[4] = _share(outside / beyond)
        row[5] = _share(load - 1.0)
        row[1] = row[2] + row[3] + row[4] + row[5]
