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

from envs.pixels.raycast.columns import AXES, SIZE

MISS = np.float32(1e30)
ZERO = np.float32(0)
ONE = np.float32(1)
TINY = np.float32(1e-12)
PARALLEL = np.float32(1e-10)
PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX = 0, 2, 3, 4, 5, 6
"""Values of mjtGeom, which a compiled function reads as constants."""

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Liberties that leave infinities alone, which a ray along an axis needs."""
compiled = numba.njit(cache=True, fastmath=FAST, error_model="numpy")
parallel = numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
"""For what several Python threads may run at once."""


@compiled
def sphere_hit(cx: Any, cy: Any, cz: Any, radius: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A sphere around c."""
    square = dx * dx + dy * dy + dz * dz
    nearest = (dx * cx + dy * cy + dz * cz) / square
    qx, qy, qz = cx - nearest * dx, cy - nearest * dy, cz - nearest * dz
    gap = radius * radius - (qx * qx + qy * qy + qz * qz)
    t = nearest - math.sqrt(max(gap, ZERO) / square)
    return t if gap >= ZERO and t > ZERO else MISS


@compiled
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


@compiled
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


@compiled
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


@compiled
def onto_axis(table: Any, p: int, axis: int, x: Any, y: Any, z: Any) -> Any:
    """A vector's part along an axis of primitive p."""
    at = AXES + 3 * axis
    return table[p, at] * x + table[p, at + 1] * y + table[p, at + 2] * z


@compiled
def ellipsoid_hit(table: Any, p: int, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """The ellipsoid p around c: a unit sphere, after scaling its axes."""
    sx, sy, sz = table[p, SIZE], table[p, SIZE + 1], table[p, SIZE + 2]
    ox = onto_axis(table, p, 0, cx, cy, cz) / sx
    oy = onto_axis(table, p, 1, cx, cy, cz) / sy
    oz = onto_axis(table, p, 2, cx, cy, cz) / sz
    vx = onto_axis(table, p, 0, dx, dy, dz) / sx
    vy = onto_axis(table, p, 1, dx, dy, dz) / sy
    vz = onto_axis(table, p, 2, dx, dy, dz) / sz
    return sphere_hit(ox, oy, oz, ONE, vx, vy, vz)


@compiled
def box_hit(table: Any, p: int, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """The box p around c."""
    entry, leave = -MISS, MISS
    for axis in range(3):
        size = table[p, SIZE + axis]
        centre = onto_axis(table, p, axis, cx, cy, cz)
        speed = onto_axis(table, p, axis, dx, dy, dz)
        if abs(speed) < PARALLEL:
            if abs(centre) > size:
                return MISS
        else:
            middle, reach = centre / speed, size / abs(speed)
            entry, leave = max(entry, middle - reach), min(leave, middle + reach)
    return entry if entry <= leave and entry > ZERO else MISS


@compiled
def plane_hit(table: Any, p: int, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """The plane p around c; sizes of 0 are infinite."""
    speed = onto_axis(table, p, 2, dx, dy, dz)
    if abs(speed) < PARALLEL:
        return MISS
    t = onto_axis(table, p, 2, cx, cy, cz) / speed
    px, py, pz = t * dx - cx, t * dy - cy, t * dz - cz
    u, v = onto_axis(table, p, 0, px, py, pz), onto_axis(table, p, 1, px, py, pz)
    sx, sy = table[p, SIZE], table[p, SIZE + 1]
    inside = (sx <= ZERO or abs(u) <= sx) and (sy <= ZERO or abs(v) <= sy)
    return t if inside and t > ZERO else MISS


@compiled
def primitive_hit(
    kind: int, table: Any, p: int, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any
) -> Any:
    """Primitive p of mjtGeom `kind`, as if its centre were c."""
    if kind == PLANE:
        return plane_hit(table, p, cx, cy, cz, dx, dy, dz)
    if kind == ELLIPSOID:
        return ellipsoid_hit(table, p, cx, cy, cz, dx, dy, dz)
    if kind == BOX:
        return box_hit(table, p, cx, cy, cz, dx, dy, dz)
    radius, half = table[p, SIZE], table[p, SIZE + 1]
    if kind == SPHERE:
        return sphere_hit(cx, cy, cz, radius, dx, dy, dz)
    ux, uy, uz = table[p, AXES + 6], table[p, AXES + 7], table[p, AXES + 8]
    if kind == CAPSULE:
        return capsule_hit(cx, cy, cz, ux, uy, uz, radius, half, dx, dy, dz)
    return cylinder_hit(cx, cy, cz, ux, uy, uz, radius, half, dx, dy, dz)
