"""Colours of textures, filtered as OpenGL filters them: linearly within and between two levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.rays import ONE, ZERO, compiled

HALF = np.float32(0.5)


@compiled
def flat_texel(texels: Any, start: int, width: int, height: int, s: Any, t: Any) -> Any:
    """A repeated texture's colour at (s, t), interpolated between four texels."""
    x, y = s * np.float32(width) - HALF, t * np.float32(height) - HALF
    left, low = math.floor(x), math.floor(y)
    fx, fy = np.float32(x - left), np.float32(y - low)
    x0, y0 = int(left) % width, int(low) % height
    x1 = x0 + 1 if x0 + 1 < width else 0
    y1 = y0 + 1 if y0 + 1 < height else 0
    return mix_four(texels, start + y0 * width, start + y1 * width, x0, x1, fx, fy)


@compiled
def mix_four(texels: Any, a: int, b: int, x0: int, x1: int, fx: Any, fy: Any) -> Any:
    """The colour between two texels of each of two rows that begin at a and b."""
    w00, w01 = (ONE - fx) * (ONE - fy), fx * (ONE - fy)
    w10, w11 = (ONE - fx) * fy, fx * fy
    i, j, k, m = a + x0, a + x1, b + x0, b + x1
    return (
        w00 * texels[i, 0] + w01 * texels[j, 0] + w10 * texels[k, 0] + w11 * texels[m, 0],
        w00 * texels[i, 1] + w01 * texels[j, 1] + w10 * texels[k, 1] + w11 * texels[m, 1],
        w00 * texels[i, 2] + w01 * texels[j, 2] + w10 * texels[k, 2] + w11 * texels[m, 2],
    )


@compiled
def sample_flat(texels: Any, levels: Any, texture: int, s: Any, t: Any, level: Any) -> Any:
    """A flat texture's colour at (s, t), between the levels around `level`.

    `levels` (T, V, 3) holds each level's first texel, width and height, 0 where there is none.
    """
    last = levels.shape[1] - 1
    while levels[texture, last, 1] == 0:
        last -= 1
    level = min(max(level, ZERO), np.float32(last))
    fine = int(level)
    rest = level - np.float32(fine)
    red, green, blue = ZERO, ZERO, ZERO
    for k in range(2 if rest > ZERO else 1):
        at, weight = fine + k, rest if k else ONE - rest
        start, width, height = (
            levels[texture, at, 0],
            levels[texture, at, 1],
            levels[texture, at, 2],
        )
        r, g, b = flat_texel(texels, start, width, height, s, t)
        red, green, blue = red + weight * r, green + weight * g, blue + weight * b
    return red, green, blue


@compiled
def cube_face(x: Any, y: Any, z: Any) -> Any:
    """OpenGL's face of a direction, and the place on it, both coordinates in [0, 1]."""
    ax, ay, az = abs(x), abs(y), abs(z)
    if ax >= ay and ax >= az:
        face, major = (0, ax) if x > ZERO else (1, ax)
        s, t = (-z, -y) if x > ZERO else (z, -y)
    elif ay >= az:
        face, major = (2, ay) if y > ZERO else (3, ay)
        s, t = (x, z) if y > ZERO else (x, -z)
    else:
        face, major = (4, az) if z > ZERO else (5, az)
        s, t = (x, -y) if z > ZERO else (-x, -y)
    return face, HALF * (s / major + ONE), HALF * (t / major + ONE)


@compiled
def sample_cube(texels: Any, start: int, edge: int, x: Any, y: Any, z: Any) -> Any:
    """A cube's colour in a direction, interpolated within its face."""
    face, s, t = cube_face(x, y, z)
    last = np.float32(edge - 1)
    u = min(max(s * np.float32(edge) - HALF, ZERO), last)
    v = min(max(t * np.float32(edge) - HALF, ZERO), last)
    x0, y0 = int(u), int(v)
    x1, y1 = min(x0 + 1, edge - 1), min(y0 + 1, edge - 1)
    first = start + face * edge * edge
    a, b = first + y0 * edge, first + y1 * edge
    return mix_four(texels, a, b, x0, x1, u - np.float32(x0), v - np.float32(y0))
