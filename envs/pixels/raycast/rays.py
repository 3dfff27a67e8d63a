"""Where a ray from the camera's centre first meets a primitive, in closed form and float32.

All coordinates are relative to the ray's origin. A ray's direction has length such that the
parameter t of the hit is what the caller needs: for camera rays (x, y, -1), t is the depth in m.
Only surfaces that face the ray count, as in OpenGL with back faces culled; a plane counts from
both sides. A miss is `MISS`. Squared distances are taken to the point of the ray nearest to the
axis or centre, which keeps float32 exact to about 1e-6 of the distance even for thin far objects.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

MISS = np.float32(1e30)
ZERO = np.float32(0)
ONE = np.float32(1)
TINY = np.float32(1e-12)
PARALLEL = np.float32(1e-10)
PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX = 0, 2, 3, 4, 5, 6
"""Values of mjtGeom, which a compiled function reads as constants."""

inline = numba.njit(
    cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy"
)


@inline
def sphere_hit(cx: Any, cy: Any, cz: Any, radius: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A sphere around c."""
    square = dx * dx + dy * dy + dz * dz
    nearest = (dx * cx + dy * cy + dz * cz) / square
    qx, qy, qz = cx - nearest * dx, cy - nearest * dy, cz - nearest * dz
    gap = radius * radius - (qx * qx + qy * qy + qz * qz)
    t = nearest - math.sqrt(max(gap, ZERO) / square)
    return t if gap >= ZERO and t > ZERO else MISS


@inline
def tube_hit(
    cx: Any,
    cy: Any,
    cz: Any,
    ux: Any,
    uy: Any,
    uz: Any,
    radius: Any,
    dx: Any,
    dy: Any,
    dz: Any,
) -> Any:
    """An infinite cylinder around the axis u through c: entry, exit and height of the entry.

    Both parameters are MISS without a hit. Along the axis, entry is minus, exit plus infinity.
    """
    along, height = dx * ux + dy * uy + dz * uz, cx * ux + cy * uy + cz * uz
    px, py, pz = dx - along * ux, dy - along * uy, dz - along * uz
    ox, oy, oz = cx - height * ux, cy - height * uy, cz - height * uz
    square = px * px + py * py + pz * pz + TINY
    nearest = (px * ox + py * oy + pz * oz) / square
    qx, qy, qz = ox - nearest * px, oy - nearest * py, oz - nearest * pz
    gap = radius * radius - (qx * qx + qy * qy + qz * qz)
    if gap < ZERO:
        return MISS, MISS, ZERO
    reach = math.sqrt(gap / square)
    entry = nearest - reach
    return entry, nearest + reach, entry * along - height


@inline
def capsule_hit(
    cx: Any,
    cy: Any,
    cz: Any,
    ux: Any,
    uy: Any,
    uz: Any,
    radius: Any,
    half: Any,
    dx: Any,
    dy: Any,
    dz: Any,
) -> Any:
    """A capsule around the segment c ± half·u."""
    entry, _, height = tube_hit(cx, cy, cz, ux, uy, uz, radius, dx, dy, dz)
    if entry == MISS:
        return MISS
    if abs(height) <= half:
        return entry if entry > ZERO else MISS
    end = half if height > ZERO else -half
    return sphere_hit(cx + end * ux, cy + end * uy, cz + end * uz, radius, dx, dy, dz)


@inline
def cylinder_hit(
    cx: Any,
    cy: Any,
    cz: Any,
    ux: Any,
    uy: Any,
    uz: Any,
    radius: Any,
    half: Any,
    dx: Any,
    dy: Any,
    dz: Any,
) -> Any:
    """A closed cylinder around the segment c ± half·u."""
    entry, leave, height = tube_hit(cx, cy, cz, ux, uy, uz, radius, dx, dy, dz)
    if entry == MISS:
        return MISS
    if abs(height) <= half:
        return entry if entry > ZERO else MISS
    end = half if height > ZERO else -half
    along = dx * ux + dy * uy + dz * uz
    t = (cx * ux + cy * uy + cz * uz + end) / along
    return t if t >= entry and t <= leave and t > ZERO else MISS


@inline
def ellipsoid_hit(
    cx: Any, cy: Any, cz: Any, axes: Any, sx: Any, sy: Any, sz: Any, dx: Any, dy: Any, dz: Any
) -> Any:
    """An ellipsoid around c; the rows of `axes` (3, 3) are its axes."""
    ox = (axes[0, 0] * cx + axes[0, 1] * cy + axes[0, 2] * cz) / sx
    oy = (axes[1, 0] * cx + axes[1, 1] * cy + axes[1, 2] * cz) / sy
    oz = (axes[2, 0] * cx + axes[2, 1] * cy + axes[2, 2] * cz) / sz
    vx = (axes[0, 0] * dx + axes[0, 1] * dy + axes[0, 2] * dz) / sx
    vy = (axes[1, 0] * dx + axes[1, 1] * dy + axes[1, 2] * dz) / sy
    vz = (axes[2, 0] * dx + axes[2, 1] * dy + axes[2, 2] * dz) / sz
    return sphere_hit(ox, oy, oz, ONE, vx, vy, vz)


@inline
def box_hit(
    cx: Any, cy: Any, cz: Any, axes: Any, sx: Any, sy: Any, sz: Any, dx: Any, dy: Any, dz: Any
) -> Any:
    """A box around c; the rows of `axes` (3, 3) are its axes."""
    entry, leave = -MISS, MISS
    for axis in range(3):
        size = sx if axis == 0 else (sy if axis == 1 else sz)
        centre = axes[axis, 0] * cx + axes[axis, 1] * cy + axes[axis, 2] * cz
        speed = axes[axis, 0] * dx + axes[axis, 1] * dy + axes[axis, 2] * dz
        if abs(speed) < PARALLEL:
            if abs(centre) > size:
                return MISS
        else:
            middle, reach = centre / speed, size / abs(speed)
            entry, leave = max(entry, middle - reach), min(leave, middle + reach)
    return entry if entry <= leave and entry > ZERO else MISS


@inline
def plane_hit(
    cx: Any, cy: Any, cz: Any, axes: Any, sx: Any, sy: Any, dx: Any, dy: Any, dz: Any
) -> Any:
    """A plane through c with normal axes[2]; sizes of 0 are infinite."""
    speed = axes[2, 0] * dx + axes[2, 1] * dy + axes[2, 2] * dz
    if abs(speed) < PARALLEL:
        return MISS
    t = (axes[2, 0] * cx + axes[2, 1] * cy + axes[2, 2] * cz) / speed
    px, py, pz = t * dx - cx, t * dy - cy, t * dz - cz
    u = axes[0, 0] * px + axes[0, 1] * py + axes[0, 2] * pz
    v = axes[1, 0] * px + axes[1, 1] * py + axes[1, 2] * pz
    inside = (sx <= ZERO or abs(u) <= sx) and (sy <= ZERO or abs(v) <= sy)
    return t if inside and t > ZERO else MISS


@inline
def primitive_hit(
    kind: int, cx: Any, cy: Any, cz: Any, axes: Any, size: Any, dx: Any, dy: Any, dz: Any
) -> Any:
    """A primitive of mjtGeom `kind` around c."""
    if kind == PLANE:
        return plane_hit(cx, cy, cz, axes, size[0], size[1], dx, dy, dz)
    if kind == SPHERE:
        return sphere_hit(cx, cy, cz, size[0], dx, dy, dz)
    ux, uy, uz = axes[2, 0], axes[2, 1], axes[2, 2]
    if kind == CAPSULE:
        return capsule_hit(cx, cy, cz, ux, uy, uz, size[0], size[1], dx, dy, dz)
    if kind == CYLINDER:
        return cylinder_hit(cx, cy, cz, ux, uy, uz, size[0], size[1], dx, dy, dz)
    if kind == ELLIPSOID:
        return ellipsoid_hit(cx, cy, cz, axes, size[0], size[1], size[2], dx, dy, dz)
    return box_hit(cx, cy, cz, axes, size[0], size[1], size[2], dx, dy, dz)

