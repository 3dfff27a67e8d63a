"""The colour of a point on a primitive: its normal, its light, its texture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.lighting import light_point
from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    ONE,
    PLANE,
    SPHERE,
    ZERO,
    inline,
)
from envs.pixels.raycast.texturing import sample_cube, sample_flat

CACHE_EDGE = 16
"""A plane's lit vertices are kept in a table of this many by this many."""
WHITE = np.float32(255)
TWO = np.float32(2)
LEVEL_OF_NOTHING = np.float32(1e-6)


@inline
def normal_at(
    kind: int, axes: Any, size: Any, px: Any, py: Any, pz: Any, u: Any, v: Any, w: Any
) -> Any:
    """Unit normal at a surface point p - c = (px, py, pz), in object coordinates (u, v, w)."""
    if kind == PLANE:
        return axes[2, 0], axes[2, 1], axes[2, 2]
    if kind == BOX:
        a, b, c = abs(u) / size[0], abs(v) / size[1], abs(w) / size[2]
        side = 0 if a >= b and a >= c else (1 if b >= c else 2)
        along = u if side == 0 else (v if side == 1 else w)
        sign = ONE if along > ZERO else -ONE
        return sign * axes[side, 0], sign * axes[side, 1], sign * axes[side, 2]
    if kind == SPHERE:
        nx, ny, nz = px, py, pz
    elif kind == ELLIPSOID:
        a, b, c = u / (size[0] * size[0]), v / (size[1] * size[1]), w / (size[2] * size[2])
        nx = a * axes[0, 0] + b * axes[1, 0] + c * axes[2, 0]
        ny = a * axes[0, 1] + b * axes[1, 1] + c * axes[2, 1]
        nz = a * axes[0, 2] + b * axes[1, 2] + c * axes[2, 2]
    else:
        if kind == CYLINDER:
            # The lid, if the point lies inside the side.
            rim = size[0] * np.float32(0.9999)
            if abs(w) >= size[1] * np.float32(0.9999) and u * u + v * v < rim * rim:
                sign = ONE if w > ZERO else -ONE
                return sign * axes[2, 0], sign * axes[2, 1], sign * axes[2, 2]
            middle = w
        else:
            middle = min(max(w, -size[1]), size[1])
        nx = px - middle * axes[2, 0]
        ny = py - middle * axes[2, 1]
        nz = pz - middle * axes[2, 2]
    scale = ONE / math.sqrt(nx * nx + ny * ny + nz * nz)
    return nx * scale, ny * scale, nz * scale


@inline
def light_plane(scene: Any, primitive: int, work: Any, u: Any, v: Any, apart: bool) -> None:
    """Light a finite plane as OpenGL does: at the vertices of its grid, with values between them.

    `work.tags` (E²,) and `work.values` (E², 1 + L, 3) keep vertices that neighbouring pixels share.
    """
    centre, axes, size = work.centres[primitive], work.axes[primitive], work.sizes[primitive]
    cells, lit, tags, values = scene.cells[primitive], work.lit, work.tags, work.values
    columns, rows = int(cells[0]), int(cells[1])
    x = (u / size[0] + ONE) * cells[0] / TWO
    y = (v / size[1] + ONE) * cells[1] / TWO
    left, low = min(max(int(x), 0), columns - 1), min(max(int(y), 0), rows - 1)
    fx, fy = x - np.float32(left), y - np.float32(low)
    lit[:, :] = ZERO
    for corner in range(4):
        column, row = left + (corner & 1), low + (corner >> 1)
        slot = (row % CACHE_EDGE) * CACHE_EDGE + column % CACHE_EDGE
        tag = (primitive * 256 + row) * 256 + column
        if tags[slot] != tag:
            tags[slot] = tag
            a = (TWO * np.float32(column) / cells[0] - ONE) * size[0]
            b = (TWO * np.float32(row) / cells[1] - ONE) * size[1]
            light_point(
                centre[0] + a * axes[0, 0] + b * axes[1, 0],
                centre[1] + a * axes[0, 1] + b * axes[1, 1],
                centre[2] + a * axes[0, 2] + b * axes[1, 2],
                axes[2, 0],
                axes[2, 1],
                axes[2, 2],
                scene.material[primitive],
                work.lights,
                scene.light_constants,
                apart,
                values[slot],
            )
        weight = (fx if corner & 1 else ONE - fx) * (fy if corner >> 1 else ONE - fy)
        for k in range(lit.shape[0]):
            for c in range(3):
                lit[k, c] += weight * values[slot, k, c]


@inline
def tint(
    scene: Any,
    primitive: int,
    axes: Any,
    size: Any,
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
    out: Any,
) -> None:
    """Write the texture's colour, in [0, 255], at object coordinates (u, v, w) into `out`."""
    texture = scene.texture[primitive]
    scale = scene.texture_scale[primitive]
    starts, widths = scene.texel_start[texture], scene.texel_width[texture]
    levels = scene.texture_levels[texture]
    if scene.texture_kind[texture] == 0:
        # How far the surface's tangent plane moves under the ray from pixel to pixel.
        slant = nx * dx + ny * dy - nz
        along = t / slant if abs(slant) > LEVEL_OF_NOTHING else ZERO
        du = axes[0, 0] * dx + axes[0, 1] * dy - axes[0, 2]
        dv = axes[1, 0] * dx + axes[1, 1] * dy - axes[1, 2]
        ks, kt = scale[0] * widths[0] * step, scale[1] * scene.texel_height[texture, 0] * step
        sx = ks * (axes[0, 0] * t - du * along * nx)
        tx = kt * (axes[1, 0] * t - dv * along * nx)
        sy = ks * (axes[0, 1] * t - du * along * ny)
        ty = kt * (axes[1, 1] * t - dv * along * ny)
        area = max(sx * sx + tx * tx, sy * sy + ty * ty)
        level = np.float32(0.5) * math.log2(max(area, LEVEL_OF_NOTHING))
        s, q = scale[0] * u - np.float32(0.5), -scale[1] * v - np.float32(0.5)
        sample_flat(
            scene.texels, starts, widths, scene.texel_height[texture], levels, s, q, level, out
        )
        return
    kind = scene.kind[primitive]
    if kind == CAPSULE or kind == CYLINDER:
        # OpenGL draws a cap as half a unit ball that stands on the end of a unit tube.
        end = size[1] if w > ZERO else -size[1]
        over = kind == CAPSULE and abs(w) > size[1]
        z = (w - end) / size[0] + (ONE if w > ZERO else -ONE) if over else w / size[1]
        x, y = u / size[0], v / size[0]
    else:
        x, y, z = u / size[0], v / size[1], w / size[2]
    texels_per_pixel = step * t * widths[0] / (TWO * size[0])
    level = int(min(max(math.log2(max(texels_per_pixel, ONE)), ZERO), np.float32(levels - 1)))
    sample_cube(
        scene.texels, starts[level], widths[level], scale[0] * x, scale[1] * y, scale[2] * z, out
    )


@inline
def shade(
    scene: Any, primitive: int, work: Any, dx: Any, dy: Any, t: Any, step: Any, apart: bool
) -> None:
    """Light the hit at depth t of the ray (dx, dy, -1) on a primitive, textured.

    Writes the colours in [0, 255] of every pass into `work.lit` (1 + L, 3).
    """
    kind, axes, size = scene.kind[primitive], work.axes[primitive], work.sizes[primitive]
    centre, material, lit = work.centres[primitive], scene.material[primitive], work.lit
    px, py, pz = t * dx, t * dy, -t
    ox, oy, oz = px - centre[0], py - centre[1], pz - centre[2]
    u = axes[0, 0] * ox + axes[0, 1] * oy + axes[0, 2] * oz
    v = axes[1, 0] * ox + axes[1, 1] * oy + axes[1, 2] * oz
    w = axes[2, 0] * ox + axes[2, 1] * oy + axes[2, 2] * oz
    nx, ny, nz = normal_at(kind, axes, size, ox, oy, oz, u, v, w)
    if kind == PLANE and scene.cells[primitive, 0] > ZERO:
        light_plane(scene, primitive, work, u, v, apart)
    else:
        constants = scene.light_constants
        light_point(px, py, pz, nx, ny, nz, material, work.lights, constants, apart, lit)
    texel = work.texel
    if scene.texture[primitive] >= 0:
        tint(scene, primitive, axes, size, dx, dy, t, step, nx, ny, nz, u, v, w, texel)
    else:
        texel[0] = texel[1] = texel[2] = WHITE
    for k in range(lit.shape[0]):
        for c in range(3):
            lit[k, c] *= texel[c]
