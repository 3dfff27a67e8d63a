"""Which points of a chunk a light does not reach, because a primitive stands in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import BLOCK, SEEN, U, V, X, Y, Z
from envs.pixels.raycast.columns import DIRECTION, DIRECTIONAL, POSITION
from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    ELLIPSOID,
    ONE,
    SPHERE,
    ZERO,
    box_hit,
    capsule_hit,
    compiled,
    cylinder_hit,
    ellipsoid_hit,
    sphere_hit,
)
from envs.pixels.raycast.shadow_reaches import EVERYWHERE
from envs.pixels.raycast.shapes import read_shape

SELF = np.float32(1e-3)
"""Share of the way to a light within which nothing shades, lest a surface shade itself."""


@compiled
def bound_blocks(points: Any, n: int, blocks: Any) -> None:
    """Write the rectangle of each block's points, on their primitive's first two axes."""
    for b in range(n // BLOCK):
        left, right, low, high = EVERYWHERE, -EVERYWHERE, EVERYWHERE, -EVERYWHERE
        for k in range(b * BLOCK, (b + 1) * BLOCK):
            left, right = min(left, points[U + k]), max(right, points[U + k])
            low, high = min(low, points[V + k]), max(high, points[V + k])
        blocks[b, 0], blocks[b, 1], blocks[b, 2], blocks[b, 3] = left, right, low, high


@compiled
def find_shadows(
    kinds: Any,
    table: Any,
    lights: Any,
    light: int,
    far: Any,
    reaches: Any,
    blocks: Any,
    points: Any,
    n: int,
) -> None:
    """Write 0 into SEEN at the points that lie in a shadow of a light, 1 at the others.

    Looks only into blocks that the rectangle in `reaches` touches.
    """
    for k in range(n):
        points[SEEN + k] = ONE
    for q in range(kinds.shape[0]):
        left, right, low, high = (
            reaches[q, 0],
            reaches[q, 1],
            reaches[q, 2],
            reaches[q, 3],
        )
        if left > right:
            continue
        start = -1
        for b in range(n // BLOCK + 1):
            touched = (
                b < n // BLOCK
                and blocks[b, 0] <= right
                and blocks[b, 1] >= left
                and blocks[b, 2] <= high
                and blocks[b, 3] >= low
            )
            if touched and start < 0:
                start = b
            elif start >= 0 and not touched:
                darken(
                    kinds[q],
                    table,
                    q,
                    lights,
                    light,
                    far,
                    points,
                    start * BLOCK,
                    b * BLOCK,
                )
                start = -1


@compiled
def darken(
    kind: int,
    table: Any,
    q: int,
    lights: Any,
    light: int,
    far: Any,
    points: Any,
    first: int,
    end: int,
) -> None:
    """Mark points `first` to `end` - 1 that primitive q hides from a light."""
    s, part = read_shape(table, q), points[first:]
    local = ONE
    x, y, z = (
        lights[light, POSITION],
        lights[light, POSITION + 1],
        lights[light, POSITION + 2],
    )
    if lights[light, DIRECTIONAL] > ZERO:
        local = ZERO
        x, y = -lights[light, DIRECTION] * far, -lights[light, DIRECTION + 1] * far
        z = -lights[light, DIRECTION + 2] * far
    if kind == CAPSULE:
        for k in range(end - first):
            px, py, pz = part[X + k], part[Y + k], part[Z + k]
            dx, dy, dz = x - local * px, y - local * py, z - local * pz
            t = capsule_hit(s, s.x - px, s.y - py, s.z - pz, dx, dy, dz)
            part[SEEN + k] = ZERO if (t > SELF) & (t < ONE) else part[SEEN + k]
    elif kind == SPHERE:
        for k in range(end - first):
            px, py, pz = part[X + k], part[Y + k], part[Z + k]
            dx, dy, dz = x - local * px, y - local * py, z - local * pz
            t = sphere_hit(s.x - px, s.y - py, s.z - pz, s.a, dx, dy, dz)
            part[SEEN + k] = ZERO if (t > SELF) & (t < ONE) else part[SEEN + k]
    elif kind == BOX:
        for k in range(end - first):
            px, py, pz = part[X + k], part[Y + k], part[Z + k]
            dx, dy, dz = x - local * px, y - local * py, z - local * pz
            t = box_hit(s, s.x - px, s.y - py, s.z - pz, dx, dy, dz)
            part[SEEN + k] = ZERO if (t > SELF) & (t < ONE) else part[SEEN + k]
    elif kind == ELLIPSOID:
        for k in range(end - first):
            px, py, pz = part[X + k], part[Y + k], part[Z + k]
            dx, dy, dz = x - local * px, y - local * py, z - local * pz
            t = ellipsoid_hit(s, s.x - px, s.y - py, s.z - pz, dx, dy, dz)
            part[SEEN + k] = ZERO if (t > SELF) & (t < ONE) else part[SEEN + k]
    else:
        for k in range(end - first):
            px, py, pz = part[X + k], part[Y + k], part[Z + k]
            dx, dy, dz = x - local * px, y - local * py, z - local * pz
            t = cylinder_hit(s, s.x - px, s.y - py, s.z - pz, dx, dy, dz)
            part[SEEN + k] = ZERO if (t > SELF) & (t < ONE) else part[SEEN + k]
