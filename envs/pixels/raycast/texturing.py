"""Colours of textures, filtered as OpenGL filters them: linearly within and between two levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.rays import ONE, ZERO, inline

HALF = np.float32(0.5)


@inline
def flat_texel(
    texels: Any, start: int, width: int, height: int, s: Any, t: Any, weight: Any, out: Any
) -> None:
    """Add `weight` times a repeated texture's colour at (s, t), interpolated, to `out`."""
    x, y = s * width - HALF, t * height - HALF
    left, low = math.floor(x), math.floor(y)
    fx, fy = np.float32(x - left), np.float32(y - low)
    x0, y0 = int(left) % width, int(low) % height
    x1 = x0 + 1 if x0 + 1 < width else 0
    y1 = y0 + 1 if y0 + 1 < height else 0
    a, b = start + y0 * width, start + y1 * width
    w00, w01 = weight * (ONE - fx) * (ONE - fy), weight * fx * (ONE - fy)
    w10, w11 = weight * (ONE - fx) * fy, weight * fx * fy
    for c in range(3):
        out[c] += (
            w00 * texels[a + x0, c]
            + w01 * texels[a + x1, c]
            + w10 * texels[b + x0, c]
            + w11 * texels[b + x1, c]
        )


@inline
def sample_flat(
    texels: Any, start: Any, width: Any, height: Any, levels: int, s: Any, t: Any, level: Any, out: Any
) -> None:
    """Write a flat texture's colour at (s, t), between the levels around `level`, into `out`."""
    out[0] = out[1] = out[2] = ZERO
    level = min(max(level, ZERO), np.float32(levels - 1))
    fine = int(level)
    rest = level - np.float32(fine)
    flat_texel(texels, start[fine], width[fine], height[fine], s, t, ONE - rest, out)
    if rest > ZERO:
        coarse = fine + 1
        flat_texel(texels, start[coarse], width[coarse], height[coarse], s, t, rest, out)


@inline
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


@inline
def sample_cube(
    texels: Any, start: int, edge: int, x: Any, y: Any, z: Any, out: Any
) -> None:
    """Write a cube's colour in a direction, interpolated within its face, into `out`."""
    face, s, t = cube_face(x, y, z)
    last = np.float32(edge - 1)
    u, v = min(max(s * edge - HALF, ZERO), last), min(max(t * edge - HALF, ZERO), last)
    x0, y0 = int(u), int(v)
    fx, fy = u - np.float32(x0), v - np.float32(y0)
    x1, y1 = min(x0 + 1, edge - 1), min(y0 + 1, edge - 1)
    first = start + face * edge * edge
    a, b = first + y0 * edge, first + y1 * edge
    for c in range(3):
        above = texels[a + x0, c] + fx * (texels[a + x1, c] - texels[a + x0, c])
        below = texels[b + x0, c] + fx * (texels[b + x1, c] - texels[b + x0, c])
        out[c] = above + fy * (below - above)
