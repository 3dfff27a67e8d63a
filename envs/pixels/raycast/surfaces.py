"""The geometry of a hit: its normal, the lit grid of a plane, and its texture's colour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.columns import AXES, CENTRE, EMISSION, GRID, RGB, SIZE, TEXTURE_SCALE
from envs.pixels.raycast.lighting import casts, light_by
from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    ONE,
    PLANE,
    SPHERE,
    ZERO,
    compiled,
    onto_axis,
)
from envs.pixels.raycast.texturing import sample_cube, sample_flat

CACHE_EDGE = 16
"""A plane's lit vertices are kept in a table of this many by this many."""
HERE = CACHE_EDGE * CACHE_EDGE
"""Row of that table for the pixel itself."""
TWO = np.float32(2)
HALF = np.float32(0.5)
NOTHING = np.float32(1e-6)
INSIDE = np.float32(0.9999)
GLOBAL_AMBIENT = np.float32(0.3)
"""Ambient light where a model has no light at all."""


@compiled
def normal_at(
    kind: int, table: Any, p: int, px: Any, py: Any, pz: Any, u: Any, v: Any, w: Any
) -> Any:
    """Unit normal of primitive p at a point (px, py, pz) from its centre, (u, v, w) on its axes."""
    sx, sy, sz = table[p, SIZE], table[p, SIZE + 1], table[p, SIZE + 2]
    side, sign = 2, ONE
    if kind == PLANE:
        pass
    elif kind == BOX:
        a, b, c = abs(u) / sx, abs(v) / sy, abs(w) / sz
        side = 0 if a >= b and a >= c else (1 if b >= c else 2)
        along = u if side == 0 else (v if side == 1 else w)
        sign = ONE if along > ZERO else -ONE
    elif kind == CYLINDER and abs(w) >= sy * INSIDE and u * u + v * v < sx * sx * INSIDE:
        # The lid of a cylinder: the point lies inside its side.
        sign = ONE if w > ZERO else -ONE
    else:
        nx, ny, nz = px, py, pz
        if kind == ELLIPSOID:
            a, b, c = u / (sx * sx), v / (sy * sy), w / (sz * sz)
            nx = a * table[p, AXES] + b * table[p, AXES + 3] + c * table[p, AXES + 6]
            ny = a * table[p, AXES + 1] + b * table[p, AXES + 4] + c * table[p, AXES + 7]
            nz = a * table[p, AXES + 2] + b * table[p, AXES + 5] + c * table[p, AXES + 8]
        elif kind != SPHERE:
            middle = min(max(w, -sy), sy) if kind == CAPSULE else w
            nx -= middle * table[p, AXES + 6]
            ny -= middle * table[p, AXES + 7]
            nz -= middle * table[p, AXES + 8]
        scale = ONE / math.sqrt(nx * nx + ny * ny + nz * nz)
        return nx * scale, ny * scale, nz * scale
    at = AXES + 3 * side
    return sign * table[p, at], sign * table[p, at + 1], sign * table[p, at + 2]


@compiled
def light_row(
    lights: Any,
    table: Any,
    p: int,
    px: Any,
    py: Any,
    pz: Any,
    nx: Any,
    ny: Any,
    nz: Any,
    shadows: bool,
    lit: Any,
    slot: int,
) -> None:
    """Light a point with unit normal n on primitive p into `lit[slot]`, shape (1 + L, 3).

    Row 0 is the sum of the lights that throw no shadow, row 1 + l the part of light l, if it does.
    Each is clipped at 1, as each of OpenGL's passes is.
    """
    count = lights.shape[0]
    ambient = table[p, EMISSION] if count else table[p, EMISSION] + GLOBAL_AMBIENT
    red, green, blue = (
        ambient * table[p, RGB],
        ambient * table[p, RGB + 1],
        ambient * table[p, RGB + 2],
    )
    for light in range(count):
        r, g, b = light_by(lights, light, table, p, px, py, pz, nx, ny, nz)
        if casts(lights, light, shadows):
            lit[slot, 1 + light, 0] = min(r, ONE)
            lit[slot, 1 + light, 1] = min(g, ONE)
            lit[slot, 1 + light, 2] = min(b, ONE)
        else:
            red, green, blue = red + r, green + g, blue + b
    lit[slot, 0, 0], lit[slot, 0, 1], lit[slot, 0, 2] = (
        min(red, ONE),
        min(green, ONE),
        min(blue, ONE),
    )


@compiled
def grid_line(table: Any, p: int, axis: int, line: int) -> Any:
    """Coordinate of a line of a plane's grid: the plane's edges, and even steps between them."""
    at, size = GRID + 3 * axis, table[p, SIZE + axis]
    if line == 0:
        return -size
    if line == int(table[p, at]):
        return size
    return table[p, at + 1] - size + np.float32(line - 1) * table[p, at + 2]


@compiled
def grid_cell(table: Any, p: int, axis: int, place: Any) -> int:
    """The cell of a plane's grid that holds a coordinate."""
    at = GRID + 3 * axis
    within = place + table[p, SIZE + axis] - table[p, at + 1]
    if within < ZERO:
        return 0
    return min(1 + int(within / table[p, at + 2]), int(table[p, at]) - 1)


@compiled
def light_plane(
    lights: Any, table: Any, p: int, u: Any, v: Any, shadows: bool, tags: Any, lit: Any
) -> None:
    """Light a finite plane as OpenGL does: at the vertices of its grid, with values between them.

    Each cell is two triangles that share the diagonal from its lower right to its upper left.
    `tags` says which vertices `lit` keeps from neighbouring pixels.
    """
    column, row = grid_cell(table, p, 0, u), grid_cell(table, p, 1, v)
    left, right = grid_line(table, p, 0, column), grid_line(table, p, 0, column + 1)
    low, high = grid_line(table, p, 1, row), grid_line(table, p, 1, row + 1)
    fx, fy = (u - left) / (right - left), (v - low) / (high - low)
    upper = fx + fy >= ONE
    slots = (0, 0, 0)
    for corner in range(3):
        # Lower right, upper left, and the corner on the pixel's side of the diagonal.
        i = column + 1 if corner == 0 or (corner == 2 and upper) else column
        j = row + 1 if corner == 1 or (corner == 2 and upper) else row
        slot = (j % CACHE_EDGE) * CACHE_EDGE + i % CACHE_EDGE
        slots = (slots[1], slots[2], slot)
        if tags[slot] != j * 1024 + i:
            tags[slot] = j * 1024 + i
            a = right if i > column else left
            b = high if j > row else low
            light_row(
                lights,
                table,
                p,
                table[p, CENTRE] + a * table[p, AXES] + b * table[p, AXES + 3],
                table[p, CENTRE + 1] + a * table[p, AXES + 1] + b * table[p, AXES + 4],
                table[p, CENTRE + 2] + a * table[p, AXES + 2] + b * table[p, AXES + 5],
                table[p, AXES + 6],
                table[p, AXES + 7],
                table[p, AXES + 8],
                shadows,
                lit,
                slot,
            )
    if upper:
        fx, fy = ONE - fy, ONE - fx
    rest = ONE - fx - fy
    for k in range(lit.shape[1]):
        for c in range(3):
            lit[HERE, k, c] = (
                fx * lit[slots[0], k, c] + fy * lit[slots[1], k, c] + rest * lit[slots[2], k, c]
            )


@compiled
def tint(
    kind: int,
    cube: int,
    texels: Any,
    levels: Any,
    texture: int,
    table: Any,
    p: int,
    dx: Any,
    dy: Any,
    t: Any,
    step: Any,
    nx: Any,
    ny: Any,
    nz: Any,
    u: Any,
    v: Any,
    w: Any,
) -> Any:
    """The texture's colour, in [0, 255], at (u, v, w) on primitive p's axes."""
    sx, sy, sz = table[p, SIZE], table[p, SIZE + 1], table[p, SIZE + 2]
    kx, ky = table[p, TEXTURE_SCALE], table[p, TEXTURE_SCALE + 1]
    if not cube:
        # How far the surface's tangent plane moves under the ray from pixel to pixel.
        slant = nx * dx + ny * dy - nz
        along = t / slant if abs(slant) > NOTHING else ZERO
        du = onto_axis(table, p, 0, dx, dy, -ONE) * along
        dv = onto_axis(table, p, 1, dx, dy, -ONE) * along
        ks = kx * np.float32(levels[texture, 0, 1]) * step
        kt = ky * np.float32(levels[texture, 0, 2]) * step
        across = ks * (table[p, AXES] * t - du * nx), kt * (table[p, AXES + 3] * t - dv * nx)
        down = ks * (table[p, AXES + 1] * t - du * ny), kt * (table[p, AXES + 4] * t - dv * ny)
        area = max(across[0] ** 2 + across[1] ** 2, down[0] ** 2 + down[1] ** 2)
        level = HALF * np.float32(math.log2(max(area, NOTHING)))
        # The texture begins at the object's upper left edge.
        return sample_flat(texels, levels, texture, kx * (u + sx), ky * (sy - v), level)
    if kind in (CAPSULE, CYLINDER):
        x, y, z = u / sx, v / sx, w / sy
        if kind == CAPSULE and abs(w) > sy:
            # OpenGL draws a cap as half a unit ball that stands on the end of a unit tube.
            z = (w - sy) / sx + ONE if w > ZERO else (w + sy) / sx - ONE
    else:
        x, y, z = u / sx, v / sy, w / sz
    wide = max(step * t * np.float32(levels[texture, 0, 1]) / (TWO * sx), ONE)
    coarse: Any = int(math.log2(wide))
    level = min(coarse, levels.shape[1] - 1)
    while levels[texture, level, 1] == 0:
        level -= 1
    start, edge = levels[texture, level, 0], levels[texture, level, 1]
    x, y, z = kx * x, ky * y, table[p, TEXTURE_SCALE + 2] * z
    return sample_cube(texels, start, edge, x, y, z)
