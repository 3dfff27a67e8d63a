"""Where a ray from the camera's centre first meets a primitive, in closed form and float32.

All coordinates are relative to the ray's origin. A ray's direction has length such that the
parameter t of the hit is what the caller needs: for camera rays (x, y, -1), t is the depth in m.
Only surfaces that face the ray count, as in OpenGL with back faces culled; a plane counts from
both sides. A miss is `MISS`. Squared distances are taken to the point of the ray nearest to the
axis or centre, which keeps float32 exact to about 1e-6 of the distance even for thin far objects.

Nothing here branches on a ray: a loop over rays becomes vector instructions.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from envs.pixels.raycast.columns import AXES
from envs.pixels.raycast.shapes import Shape

MISS = np.float32(1e30)
ZERO = np.float32(0)
ONE = np.float32(1)
TINY = np.float32(1e-12)
PARALLEL = np.float32(1e-10)
PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX = 0, 2, 3, 4, 5, 6
"""Values of mjtGeom, which a compiled function reads as constants."""

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Liberties that leave infinities alone, which a ray along an axis needs."""
compiled = numba.njit(fastmath=FAST, error_model="numpy")
"""For what becomes a part of a function that Python calls; only the whole is kept on disk."""
parallel = numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
"""For what Python calls, several threads at once."""


@compiled
def sphere_hit(cx: Any, cy: Any, cz: Any, radius: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A sphere around c."""
    square = dx * dx + dy * dy + dz * dz
    nearest = (dx * cx + dy * cy + dz * cz) / square
    qx, qy, qz = cx - nearest * dx, cy - nearest * dy, cz - nearest * dz
    gap = radius * radius - (qx * qx + qy * qy + qz * qz)
    t = nearest - math.sqrt(max(gap, ZERO) / square)
    return t if (gap >= ZERO) & (t > ZERO) else MISS


@compiled
def tube_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """An infinite cylinder around the third axis through c: whether it is met, entry, exit and
    height of the entry.

    Along the axis, entry is minus, exit plus infinity.
    """
    along, height = dx * s.wx + dy * s.wy + dz * s.wz, cx * s.wx + cy * s.wy + cz * s.wz
    px, py, pz = dx - along * s.wx, dy - along * s.wy, dz - along * s.wz
    ox, oy, oz = cx - height * s.wx, cy - height * s.wy, cz - height * s.wz
    square = px * px + py * py + pz * pz + TINY
    nearest = (px * ox + py * oy + pz * oz) / square
    qx, qy, qz = ox - nearest * px, oy - nearest * py, oz - nearest * pz
    gap = s.a * s.a - (qx * qx + qy * qy + qz * qz)
    reach = math.sqrt(max(gap, ZERO) / square)
    entry = nearest - reach
    return gap >= ZERO, entry, nearest + reach, entry * along - height


@compiled
def capsule_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A capsule around the segment c ± half its length."""
    met, entry, _, height = tube_hit(s, cx, cy, cz, dx, dy, dz)
    end = s.b if height > ZERO else -s.b
    cap = sphere_hit(cx + end * s.wx, cy + end * s.wy, cz + end * s.wz, s.a, dx, dy, dz)
    side = entry if entry > ZERO else MISS
    t = side if abs(height) <= s.b else cap
    return t if met else MISS


@compiled
def cylinder_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A closed cylinder around the segment c ± half its length."""
    met, entry, leave, height = tube_hit(s, cx, cy, cz, dx, dy, dz)
    end = s.b if height > ZERO else -s.b
    along = dx * s.wx + dy * s.wy + dz * s.wz
    lid = (cx * s.wx + cy * s.wy + cz * s.wz + end) / along
    lid = lid if (lid >= entry) & (lid <= leave) else MISS
    t = entry if abs(height) <= s.b else lid
    return t if met & (t > ZERO) else MISS


@compiled
def ellipsoid_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """An ellipsoid around c: a unit sphere, after scaling its axes."""
    ox = (s.ux * cx + s.uy * cy + s.uz * cz) / s.a
    oy = (s.vx * cx + s.vy * cy + s.vz * cz) / s.b
    oz = (s.wx * cx + s.wy * cy + s.wz * cz) / s.c
    vx = (s.ux * dx + s.uy * dy + s.uz * dz) / s.a
    vy = (s.vx * dx + s.vy * dy + s.vz * dz) / s.b
    vz = (s.wx * dx + s.wy * dy + s.wz * dz) / s.c
    return sphere_hit(ox, oy, oz, ONE, vx, vy, vz)


@compiled
def slab(centre: Any, speed: Any, size: Any) -> Any:
    """Where a ray enters and leaves the space between two parallel faces.

    A ray parallel to them is taken to be just not, and enters and leaves very far away.
    """
    speed = speed if abs(speed) >= PARALLEL else PARALLEL
    middle, reach = centre / speed, size / abs(speed)
    return middle - reach, middle + reach


@compiled
def box_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A box around c."""
    centre, speed = s.ux * cx + s.uy * cy + s.uz * cz, s.ux * dx + s.uy * dy + s.uz * dz
    entry, leave = slab(centre, speed, s.a)
    centre, speed = s.vx * cx + s.vy * cy + s.vz * cz, s.vx * dx + s.vy * dy + s.vz * dz
    low, high = slab(centre, speed, s.b)
    entry, leave = max(entry, low), min(leave, high)
    centre, speed = s.wx * cx + s.wy * cy + s.wz * cz, s.wx * dx + s.wy * dy + s.wz * dz
    low, high = slab(centre, speed, s.c)
    entry, leave = max(entry, low), min(leave, high)
    return entry if (entry <= leave) & (entry > ZERO) else MISS


@compiled
def plane_hit(s: Shape, cx: Any, cy: Any, cz: Any, dx: Any, dy: Any, dz: Any) -> Any:
    """A plane around c; sizes of 0 are infinite."""
    speed = s.wx * dx + s.wy * dy + s.wz * dz
    t = (s.wx * cx + s.wy * cy + s.wz * cz) / (speed if abs(speed) >= PARALLEL else PARALLEL)
    px, py, pz = t * dx - cx, t * dy - cy, t * dz - cz
    u, v = s.ux * px + s.uy * py + s.uz * pz, s.vx * px + s.vy * py + s.vz * pz
    inside = ((s.a <= ZERO) | (abs(u) <= s.a)) & ((s.b <= ZERO) | (abs(v) <= s.b))
    return t if inside & (t > ZERO) & (abs(speed) >= PARALLEL) else MISS


@compiled
def onto_axis(table: Any, p: int, axis: int, x: Any, y: Any, z: Any) -> Any:
    """A vector's part along an axis of primitive p."""
    at = AXES + 3 * axis
    return table[p, at] * x + table[p, at + 1] * y + table[p, at + 2] * z
