"""Which place and level of a texture a primitive shows at points of a chunk."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import (
    CHUNK,
    DEPTH,
    NORMAL_X,
    NORMAL_Y,
    NORMAL_Z,
    RAY_X,
    RAY_Y,
    SPARE,
    U,
    V,
    W,
)
from envs.pixels.raycast.columns import TEXTURE_SCALE
from envs.pixels.raycast.rays import CAPSULE, CYLINDER, ONE, ZERO, compiled
from envs.pixels.raycast.shapes import Shape, read_shape
from envs.pixels.raycast.texturing import (
    COARSE,
    EXPONENT_BITS,
    HALF,
    LEVEL,
    PLACE_S,
    PLACE_T,
    UNIT_EXPONENT,
    choose_cube,
    choose_flat,
    fetch,
    tint_one_level,
    tint_two_levels,
)

TWO = np.float32(2)
NOTHING = np.float32(1e-6)
TOWARD_X, TOWARD_Y, TOWARD_Z = SPARE + 6 * CHUNK, SPARE + 7 * CHUNK, SPARE + 8 * CHUNK
"""Direction in a cube of textures."""
MANTISSA, UNIT = np.int32(0x7FFFFF), np.int32(127 << 23)
"""Bits of a float32's mantissa, and of 1."""


@compiled
def log2(value: Any) -> Any:
    """Logarithm to base 2 of a positive normal float32, within 2e-5, without a branch.

    The exponent, and a polynomial through the logarithm of the mantissa in [1, 2].
    """
    bits = np.float32(value).view(np.int32)
    m = np.int32((bits & MANTISSA) | UNIT).view(np.float32)
    p = np.float32(0.0463851) * m - np.float32(0.42819458)
    p = (p * m + np.float32(1.6665226)) * m - np.float32(3.603914)
    p = (p * m + np.float32(5.1310787)) * m - np.float32(2.8118777)
    return np.float32(np.int32((bits >> EXPONENT_BITS) - UNIT_EXPONENT)) + p


@compiled
def tint(
    kind: int,
    cube: int,
    texels: Any,
    levels: Any,
    texture: int,
    table: Any,
    p: int,
    step: Any,
    points: Any,
    whole: Any,
    n: int,
) -> None:
    """Multiply the light of n points on primitive p by its texture's colours, in [0, 255]."""
    last = levels.shape[1] - 1
    while levels[texture, last, 1] == 0:
        last -= 1
    width, height = levels[texture, 0, 1], levels[texture, 0, 2]
    if cube:
        point_cube(kind, table, p, step * np.float32(width), last, points, whole, n)
        choose_cube(width, points, whole, n, TOWARD_X, TOWARD_Y, TOWARD_Z)
        fetch(texels, levels, texture, last, 0, whole, n)
        tint_one_level(points, whole, n)
        return
    point_flat(table, p, step, width, height, last, points, whole, n)
    for layer in range(2):
        choose_flat(width, height, layer, points, whole, n)
        fetch(texels, levels, texture, last, layer, whole, n)
    tint_two_levels(points, whole, n)


@compiled
def point_flat(
    table: Any,
    p: int,
    step: Any,
    width: int,
    height: int,
    last: int,
    points: Any,
    whole: Any,
    n: int,
) -> None:
    """Write place, level and share of the next level of a flat texture at n points."""
    s = read_shape(table, p)
    kx, ky = table[p, TEXTURE_SCALE], table[p, TEXTURE_SCALE + 1]
    ks, kt = kx * np.float32(width) * step, ky * np.float32(height) * step
    for k in range(n):
        # The texture begins at the object's upper left edge.
        x, y = kx * (points[U + k] + s.a), ky * (s.b - points[V + k])
        points[PLACE_S + k], points[PLACE_T + k] = x - np.floor(x), y - np.floor(y)
        dx, dy, t = points[RAY_X + k], points[RAY_Y + k], points[DEPTH + k]
        nx, ny, nz = points[NORMAL_X + k], points[NORMAL_Y + k], points[NORMAL_Z + k]
        # How far the surface's tangent plane moves under the ray from pixel to pixel.
        slant = nx * dx + ny * dy - nz
        along = t / slant if abs(slant) > NOTHING else ZERO
        du, dv = (
            (s.ux * dx + s.uy * dy - s.uz) * along,
            (s.vx * dx + s.vy * dy - s.vz) * along,
        )
        a, b = ks * (s.ux * t - du * nx), kt * (s.vx * t - dv * nx)
        c, d = ks * (s.uy * t - du * ny), kt * (s.vy * t - dv * ny)
        level = HALF * log2(max(max(a * a + b * b, c * c + d * d), NOTHING))
        level = min(max(level, ZERO), np.float32(last))
        fine = np.int32(level)
        whole[LEVEL + k] = fine
        points[COARSE + k] = level - np.float32(fine)


@compiled
def point_cube(
    kind: int,
    table: Any,
    p: int,
    texels_per_slope: Any,
    last: int,
    points: Any,
    whole: Any,
    n: int,
) -> None:
    """Write direction and nearest level of a cube of textures at n points."""
    s: Shape = read_shape(table, p)
    kx, ky = table[p, TEXTURE_SCALE], table[p, TEXTURE_SCALE + 1]
    kz = table[p, TEXTURE_SCALE + 2]
    texels_per_depth = texels_per_slope / (TWO * s.a)
    long = kind in (CAPSULE, CYLINDER)
    # OpenGL draws a capsule's cap as half a unit ball that stands on the end of a unit tube.
    tube = s.b if kind == CAPSULE else np.float32(np.inf)
    size_v, size_w = (s.a, s.b) if long else (s.b, s.c)
    for k in range(n):
        wide = max(texels_per_depth * points[DEPTH + k], ONE)
        whole[LEVEL + k] = min(np.int32(log2(wide) + NOTHING), np.int32(last))
        w = points[W + k]
        z = w / size_w
        sign = ONE if w > ZERO else -ONE
        z = (w - sign * s.b) / s.a + sign if abs(w) > tube and long else z
        points[TOWARD_X + k] = kx * (points[U + k] / s.a)
        points[TOWARD_Y + k] = ky * (points[V + k] / size_v)
        points[TOWARD_Z + k] = kz * z
