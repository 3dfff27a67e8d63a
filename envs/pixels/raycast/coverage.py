"""Which primitive every pixel shows: screen rectangles, and a depth buffer over them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.columns import AXES, CENTRE, SIZE
from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    PLANE,
    SPHERE,
    ZERO,
    box_hit,
    capsule_hit,
    compiled,
    cylinder_hit,
    ellipsoid_hit,
    plane_hit,
    sphere_hit,
)
from envs.pixels.raycast.shapes import read_shape

DOWN = np.float32(-1)
LANES = 8
"""Windows grow to whole vectors of this many columns."""


@compiled
def slopes(across: Any, depth: Any, radius: Any) -> Any:
    """Least and greatest across/depth at which a plane through the camera touches a sphere."""
    square = depth * depth - radius * radius
    root = radius * math.sqrt(max(across * across + square, ZERO))
    return (across * depth - root) / square, (across * depth + root) / square


@compiled
def widen(bounds: Any, cx: Any, cy: Any, cz: Any, radius: Any, near: Any) -> bool:
    """Let `bounds` (left, right, bottom, top) hold a sphere; False if it reaches the camera."""
    depth = -cz
    if depth - radius <= near:
        return False
    low, high = slopes(cx, depth, radius)
    bounds[0], bounds[1] = min(bounds[0], low), max(bounds[1], high)
    low, high = slopes(cy, depth, radius)
    bounds[2], bounds[3] = min(bounds[2], low), max(bounds[3], high)
    return True


@compiled
def bound(kind: int, table: Any, p: int, near: Any, bounds: Any) -> int:
    """Slopes that hold a primitive; 1 if found, 0 if it is behind the camera, -1 if it is around.

    A sphere's and a capsule's are exact; a cylinder's are its capsule's, a box's and an
    ellipsoid's those of the eight corners.
    """
    bounds[0] = bounds[2] = np.float32(1e30)
    bounds[1] = bounds[3] = np.float32(-1e30)
    cx, cy, cz = table[p, CENTRE], table[p, CENTRE + 1], table[p, CENTRE + 2]
    sx, sy, sz = table[p, SIZE], table[p, SIZE + 1], table[p, SIZE + 2]
    if kind == SPHERE:
        if cz - sx > -near:
            return 0
        return 1 if widen(bounds, cx, cy, cz, sx, near) else -1
    ux, uy, uz = table[p, AXES + 6], table[p, AXES + 7], table[p, AXES + 8]
    if kind in (CAPSULE, CYLINDER):
        if cz - abs(uz) * sy - sx > -near:
            return 0
        first = widen(bounds, cx + sy * ux, cy + sy * uy, cz + sy * uz, sx, near)
        second = widen(bounds, cx - sy * ux, cy - sy * uy, cz - sy * uz, sx, near)
        return 1 if first and second else -1
    deep = abs(table[p, AXES + 2]) * sx + abs(table[p, AXES + 5]) * sy + abs(uz) * sz
    if cz - deep > -near:
        return 0
    if cz + deep >= -near:
        return -1
    for corner in range(8):
        a = sx if corner & 1 else -sx
        b = sy if corner & 2 else -sy
        c = sz if corner & 4 else -sz
        x = cx + a * table[p, AXES] + b * table[p, AXES + 3] + c * ux
        y = cy + a * table[p, AXES + 1] + b * table[p, AXES + 4] + c * uy
        z = cz + a * table[p, AXES + 2] + b * table[p, AXES + 5] + c * uz
        bounds[0], bounds[1] = min(bounds[0], -x / z), max(bounds[1], -x / z)
        bounds[2], bounds[3] = min(bounds[2], -y / z), max(bounds[3], -y / z)
    return 1


@compiled
def frame(
    kind: int,
    table: Any,
    p: int,
    rays_x: Any,
    rays_y: Any,
    near: Any,
    bounds: Any,
    windows: Any,
) -> None:
    """Write the rows and columns that may show primitive p: first and end row, then column."""
    width, height = rays_x.shape[0], rays_y.shape[0]
    windows[p, 0], windows[p, 1], windows[p, 2], windows[p, 3] = 0, height, 0, width
    found = -1 if kind == PLANE else bound(kind, table, p, near, bounds)
    if found == 0:
        windows[p, 1] = 0
    # A picture of one row or column is cheap to search, and has no step.
    if found != 1 or width == 1 or height == 1:
        return
    across = np.float32(width - 1) / (rays_x[width - 1] - rays_x[0])
    down = np.float32(height - 1) / (rays_y[height - 1] - rays_y[0])
    windows[p, 0] = max(0, int(clip((bounds[3] - rays_y[0]) * down)))
    windows[p, 1] = min(height, int(clip((bounds[2] - rays_y[0]) * down)) + 2)
    windows[p, 2] = max(0, int(clip((bounds[0] - rays_x[0]) * across)))
    windows[p, 3] = min(width, int(clip((bounds[1] - rays_x[0]) * across)) + 2)


@compiled
def clip(place: Any) -> Any:
    """A place that an integer can hold; -1 and less are outside anyway."""
    return min(max(place, np.float32(-2)), np.float32(1e6))


@compiled
def keep(depth: Any, shown: Any, x: int, t: Any, p: Any, near: Any) -> None:
    """Show primitive p at pixel x of a row if depth t comes before what it shows."""
    seen = (t < depth[x]) & (t > near)
    depth[x] = t if seen else depth[x]
    shown[x] = p if seen else shown[x]


@compiled
def cover(
    kind: int,
    table: Any,
    p: int,
    windows: Any,
    rays_x: Any,
    rays_y: Any,
    near: Any,
    depth: Any,
    shown: Any,
) -> None:
    """Put primitive p into the depth buffer (H, W) and its index into `shown`, in its window.

    A loop for each kind, over whole vectors of columns; columns beside the window miss.
    """
    s = read_shape(table, p)
    left = windows[p, 2] // LANES * LANES
    right = min((windows[p, 3] + LANES - 1) // LANES * LANES, rays_x.shape[0])
    slopes_x, count, name = rays_x[left:right], right - left, np.int32(p)
    for y in range(windows[p, 0], windows[p, 1]):
        dy, before, known = rays_y[y], depth[y, left:right], shown[y, left:right]
        if kind == CAPSULE:
            for x in range(count):
                t = capsule_hit(s, s.x, s.y, s.z, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
        elif kind == PLANE:
            for x in range(count):
                t = plane_hit(s, s.x, s.y, s.z, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
        elif kind == SPHERE:
            for x in range(count):
                t = sphere_hit(s.x, s.y, s.z, s.a, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
        elif kind == BOX:
            for x in range(count):
                t = box_hit(s, s.x, s.y, s.z, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
        elif kind == ELLIPSOID:
            for x in range(count):
                t = ellipsoid_hit(s, s.x, s.y, s.z, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
        else:
            for x in range(count):
                t = cylinder_hit(s, s.x, s.y, s.z, slopes_x[x], dy, DOWN)
                keep(before, known, x, t, name, near)
