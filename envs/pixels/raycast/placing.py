"""Moving primitives and lights into the camera's frame, and mirroring them there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.columns import AXES, CENTRE, DIRECTION, POSITION, REACH, SIZE
from envs.pixels.raycast.rays import ONE, ZERO, compiled

GEOM, SITE, TENDON = 0, 1, 2
"""Where a primitive comes from."""
TWO = np.float32(2)


@compiled
def put_vector(
    matrix: Any,
    n: int,
    camera: int,
    x: Any,
    y: Any,
    z: Any,
    rows: Any,
    row: int,
    at: int,
) -> None:
    """Write a vector of the world, in the camera's frame, into `rows[row, at:at + 3]`."""
    for c in range(3):
        rows[row, at + c] = np.float32(
            matrix[n, camera, c] * x + matrix[n, camera, 3 + c] * y + matrix[n, camera, 6 + c] * z
        )


@compiled
def place(stage: Any, pose: Any, n: int, work: Any) -> None:
    """Write where all primitives and lights of world n are into the tables of `work`."""
    camera, table, matrix = stage.camera, work.table, pose.cam_xmat
    eye_x, eye_y = pose.cam_xpos[n, camera, 0], pose.cam_xpos[n, camera, 1]
    eye_z = pose.cam_xpos[n, camera, 2]
    for p in range(stage.kinds.shape[0]):
        source, i = stage.origins[p, 0], stage.origins[p, 1]
        if source == TENDON:
            place_segment(pose, n, camera, i, eye_x, eye_y, eye_z, table, p)
            continue
        where = pose.geom_xpos if source == GEOM else pose.site_xpos
        turn = pose.geom_xmat if source == GEOM else pose.site_xmat
        x, y, z = where[n, i, 0] - eye_x, where[n, i, 1] - eye_y, where[n, i, 2] - eye_z
        put_vector(matrix, n, camera, x, y, z, table, p, CENTRE)
        for axis in range(3):
            x, y, z = turn[n, i, axis], turn[n, i, 3 + axis], turn[n, i, 6 + axis]
            put_vector(matrix, n, camera, x, y, z, table, p, AXES + 3 * axis)
    where, aim, lights = pose.light_xpos, pose.light_xdir, work.lights
    count = where.shape[1]
    for i in range(count):
        x, y, z = where[n, i, 0] - eye_x, where[n, i, 1] - eye_y, where[n, i, 2] - eye_z
        put_vector(matrix, n, camera, x, y, z, lights, i, POSITION)
        x, y, z = aim[n, i, 0], aim[n, i, 1], aim[n, i, 2]
        put_vector(matrix, n, camera, x, y, z, lights, i, DIRECTION)
    if lights.shape[0] > count:
        # The headlight shines from the camera straight ahead.
        lights[count, DIRECTION] = lights[count, DIRECTION + 1] = ZERO
        lights[count, DIRECTION + 2] = -ONE


@compiled
def place_segment(
    pose: Any,
    n: int,
    camera: int,
    i: int,
    eye_x: Any,
    eye_y: Any,
    eye_z: Any,
    table: Any,
    p: int,
) -> None:
    """Write the capsule around a tendon's segment i; one without length is put out of sight."""
    ends, matrix = pose.tendons, pose.cam_xmat
    x, y, z = (
        ends[n, i, 1, 0] - ends[n, i, 0, 0],
        ends[n, i, 1, 1] - ends[n, i, 0, 1],
        ends[n, i, 1, 2] - ends[n, i, 0, 2],
    )
    length = math.sqrt(x * x + y * y + z * z)
    if length == 0.0:
        table[p, CENTRE] = table[p, CENTRE + 1] = ZERO
        table[p, CENTRE + 2] = np.float32(1e6)
        return
    put_vector(matrix, n, camera, x / length, y / length, z / length, table, p, AXES + 6)
    x, y, z = (
        0.5 * (ends[n, i, 0, 0] + ends[n, i, 1, 0]) - eye_x,
        0.5 * (ends[n, i, 0, 1] + ends[n, i, 1, 1]) - eye_y,
        0.5 * (ends[n, i, 0, 2] + ends[n, i, 1, 2]) - eye_z,
    )
    put_vector(matrix, n, camera, x, y, z, table, p, CENTRE)
    table[p, SIZE + 1] = np.float32(0.5 * length)
    table[p, REACH] = table[p, SIZE] + table[p, SIZE + 1]


@compiled
def mirror_vector(rows: Any, row: int, at: int, out: Any, nx: Any, ny: Any, nz: Any) -> None:
    """Write a direction, mirrored at a plane with unit normal n, into `out`."""
    along = TWO * (rows[row, at] * nx + rows[row, at + 1] * ny + rows[row, at + 2] * nz)
    out[row, at] = rows[row, at] - along * nx
    out[row, at + 1] = rows[row, at + 1] - along * ny
    out[row, at + 2] = rows[row, at + 2] - along * nz


@compiled
def mirror(work: Any, glass: int, cx: Any, cy: Any, cz: Any) -> None:
    """Fill the mirrored tables with all that is, mirrored at the plane of `glass` through c."""
    table, lights = work.table, work.lights
    nx, ny, nz = table[glass, AXES + 6], table[glass, AXES + 7], table[glass, AXES + 8]
    shift = TWO * (cx * nx + cy * ny + cz * nz)
    for p in range(table.shape[0]):
        for axis in range(3):
            mirror_vector(table, p, AXES + 3 * axis, work.mirrored_table, nx, ny, nz)
        mirror_vector(table, p, CENTRE, work.mirrored_table, nx, ny, nz)
        work.mirrored_table[p, CENTRE] += shift * nx
        work.mirrored_table[p, CENTRE + 1] += shift * ny
        work.mirrored_table[p, CENTRE + 2] += shift * nz
        for column in range(SIZE, REACH + 1):
            work.mirrored_table[p, column] = table[p, column]
    for light in range(lights.shape[0]):
        mirror_vector(lights, light, DIRECTION, work.mirrored_lights, nx, ny, nz)
        mirror_vector(lights, light, POSITION, work.mirrored_lights, nx, ny, nz)
        work.mirrored_lights[light, POSITION] += shift * nx
        work.mirrored_lights[light, POSITION + 1] += shift * ny
        work.mirrored_lights[light, POSITION + 2] += shift * nz
