"""Points of one primitive, a chunk at a time: the working memory of painting.

A chunk holds up to `CHUNK` points as rows of one flat array: quantity `ROW` of point k is at
`ROW * CHUNK + k`. With the rows' distances known to the compiler, a loop over points becomes vector
instructions without a look at whether rows overlap, and a chunk stays in the fastest cache.
"""

from __future__ import annotations

from typing import Any

from envs.pixels.raycast.rays import compiled
from envs.pixels.raycast.shapes import read_shape

CHUNK = 256
"""Points of a chunk."""
BLOCK = 16
"""Points are padded to whole blocks, which are also what a shadow is looked for in."""

RAY_X, RAY_Y, DEPTH = 0 * CHUNK, 1 * CHUNK, 2 * CHUNK
"""Slopes of the ray, and depth, m."""
X, Y, Z = 3 * CHUNK, 4 * CHUNK, 5 * CHUNK
"""Where the point is in the camera's frame, m."""
NORMAL_X, NORMAL_Y, NORMAL_Z = 6 * CHUNK, 7 * CHUNK, 8 * CHUNK
"""Unit normal there."""
U, V, W = 9 * CHUNK, 10 * CHUNK, 11 * CHUNK
"""Where the point is along the primitive's axes, from its centre, m."""
RED, GREEN, BLUE = 12 * CHUNK, 13 * CHUNK, 14 * CHUNK
"""Light so far, later the colour."""
PART_RED, PART_GREEN, PART_BLUE = 15 * CHUNK, 16 * CHUNK, 17 * CHUNK
"""What one light adds."""
SEEN = 18 * CHUNK
"""1 where the light is seen, 0 in shadow."""
SPARE = 19 * CHUNK
"""First of the rows whose meaning is a single function's own."""
ROWS = 28
WHOLE_ROWS = 12
"""Rows of a chunk's whole numbers."""


@compiled
def pad(points: Any, count: int) -> int:
    """Repeat the last of `count` points up to a whole block; the number of points then."""
    end = (count + BLOCK - 1) // BLOCK * BLOCK
    for k in range(count, end):
        for row in (RAY_X, RAY_Y, DEPTH):
            points[row + k] = points[row + count - 1]
    return end


@compiled
def locate(table: Any, p: int, points: Any, n: int) -> None:
    """Fill in where n points on primitive p are, from their rays and depths."""
    s = read_shape(table, p)
    for k in range(n):
        t = points[DEPTH + k]
        x, y, z = t * points[RAY_X + k], t * points[RAY_Y + k], -t
        points[X + k], points[Y + k], points[Z + k] = x, y, z
        ox, oy, oz = x - s.x, y - s.y, z - s.z
        points[U + k] = s.ux * ox + s.uy * oy + s.uz * oz
        points[V + k] = s.vx * ox + s.vy * oy + s.vz * oz
        points[W + k] = s.wx * ox + s.wy * oy + s.wz * oz
