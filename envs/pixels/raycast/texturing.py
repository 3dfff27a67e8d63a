"""Colours of textures at points of a chunk, interpolated linearly between four texels.

Which texels is found for whole vectors of points, then the texels are fetched one by one, then
mixed for whole vectors again: fetching is all that does not fit a vector.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import BLUE, CHUNK, GREEN, RED, SPARE
from envs.pixels.raycast.rays import ONE, ZERO, compiled

HALF, TWO, FOUR = np.float32(0.5), np.float32(2), np.float32(4)
UNIT_EXPONENT, EXPONENT_BITS = np.int32(127), np.int32(23)
"""A float32's bits for the power 0 of 2, and where they begin."""
LAYER = 4 * CHUNK
"""Distance of the whole numbers of the finer and the coarser level: four texels each."""
LEVEL = 2 * LAYER
"""Row of each point's finer level."""
SHARE_X, SHARE_Y, PAIR = SPARE, SPARE + CHUNK, 2 * CHUNK
"""Shares of the right and the upper texels, in the finer level; `PAIR` on, in the coarser."""
COARSE = SPARE + 4 * CHUNK
"""Share of the coarser level."""
PLACE_S, PLACE_T = SPARE + 5 * CHUNK, SPARE + 6 * CHUNK
"""Place on the texture."""
FIELD, MASK, FINENESS = 10, 1023, np.float32(0.25)
"""A texel is three numbers of 10 bits, in quarters of a step of 255."""


def pack(texels: Any) -> Any:
    """Texels (K, 3), in [0, 255], as one whole number each."""
    steps = np.rint(np.asarray(texels, np.float64) / FINENESS).astype(np.int32)
    return steps[:, 0] | steps[:, 1] << FIELD | steps[:, 2] << 2 * FIELD


@compiled
def choose_flat(width: int, height: int, layer: int, points: Any, whole: Any, n: int) -> None:
    """Write which texels of a repeated texture surround n points, in layer 0 or 1 of its levels.

    A level is half as wide and high as the one before, rounded down.
    """
    wide, high, step = np.float32(width), np.float32(height), np.int32(layer)
    shares, four = points[layer * PAIR :], whole[layer * LAYER :]
    for k in range(n):
        share = halves(whole[LEVEL + k] + step)
        w, h = max(np.floor(wide * share), ONE), max(np.floor(high * share), ONE)
        x, y = points[PLACE_S + k] * w - HALF, points[PLACE_T + k] * h - HALF
        x0, y0 = np.floor(x), np.floor(y)
        shares[SHARE_X + k], shares[SHARE_Y + k] = x - x0, y - y0
        x1, y1 = x0 + ONE, y0 + ONE
        x0, y0 = x0 + w if x0 < ZERO else x0, y0 + h if y0 < ZERO else y0
        x1, y1 = ZERO if x1 >= w else x1, ZERO if y1 >= h else y1
        put_four(four, k, y0, y1, w, x0, x1)


@compiled
def halves(level: Any) -> Any:
    """One half to the power of a whole number, put together from its bits."""
    return np.int32((UNIT_EXPONENT - level) << EXPONENT_BITS).view(np.float32)


@compiled
def put_four(whole: Any, at: int, y0: Any, y1: Any, w: Any, x0: Any, x1: Any) -> None:
    """Write the numbers of the texels in two rows and two columns of a level of width w."""
    a, b = np.int32(y0) * np.int32(w), np.int32(y1) * np.int32(w)
    whole[at], whole[at + CHUNK] = a + np.int32(x0), a + np.int32(x1)
    whole[at + 2 * CHUNK], whole[at + 3 * CHUNK] = b + np.int32(x0), b + np.int32(x1)


@compiled
def choose_cube(edge: int, points: Any, whole: Any, n: int, x: int, y: int, z: int) -> None:
    """Write which texels surround n directions in rows x, y, z; neighbours within a face only."""
    finest, xs, ys, zs = np.float32(edge), points[x:], points[y:], points[z:]
    for k in range(n):
        face, s, t = cube_face(xs[k], ys[k], zs[k])
        w = max(np.floor(finest * halves(whole[LEVEL + k])), ONE)
        u = min(max(s * w - HALF, ZERO), w - ONE)
        v = min(max(t * w - HALF, ZERO), w - ONE)
        x0, y0 = np.floor(u), np.floor(v)
        points[SHARE_X + k], points[SHARE_Y + k] = u - x0, v - y0
        x1, y1 = min(x0 + ONE, w - ONE), min(y0 + ONE, w - ONE)
        put_four(whole, k, face * w + y0, face * w + y1, w, x0, x1)


@compiled
def cube_face(x: Any, y: Any, z: Any) -> Any:
    """OpenGL's face of a direction, and the place on it, both coordinates in [0, 1]."""
    ax, ay, az = abs(x), abs(y), abs(z)
    first, second = (ax >= ay) & (ax >= az), ay >= az
    major = ax if first else (ay if second else az)
    along = x if first else (y if second else z)
    sign = ONE if along > ZERO else -ONE
    face = (ZERO if first else (TWO if second else FOUR)) + (ZERO if along > ZERO else ONE)
    s = -sign * z if first else (x if second else sign * x)
    t = -y if first else (sign * z if second else -y)
    return face, HALF * (s / major + ONE), HALF * (t / major + ONE)


@compiled
def fetch(
    texels: Any, levels: Any, texture: int, last: int, layer: int, whole: Any, n: int
) -> None:
    """Replace the numbers of the texels of a layer by the texels."""
    four = whole[layer * LAYER :]
    for k in range(n):
        start = levels[texture, min(whole[LEVEL + k] + layer, last), 0]
        four[k] = texels[start + four[k]]
        four[CHUNK + k] = texels[start + four[CHUNK + k]]
        four[2 * CHUNK + k] = texels[start + four[2 * CHUNK + k]]
        four[3 * CHUNK + k] = texels[start + four[3 * CHUNK + k]]


@compiled
def between(shares: Any, four: Any, k: int) -> Any:
    """The colour of point k in a layer that begins at `shares` and `four`, in quarters."""
    fx, fy = shares[SHARE_X + k], shares[SHARE_Y + k]
    a, b = four[k], four[CHUNK + k]
    c, d = four[2 * CHUNK + k], four[3 * CHUNK + k]
    w00, w01 = (ONE - fx) * (ONE - fy), fx * (ONE - fy)
    w10, w11 = (ONE - fx) * fy, fx * fy
    return (
        w00 * field(a, 0) + w01 * field(b, 0) + w10 * field(c, 0) + w11 * field(d, 0),
        w00 * field(a, 1) + w01 * field(b, 1) + w10 * field(c, 1) + w11 * field(d, 1),
        w00 * field(a, 2) + w01 * field(b, 2) + w10 * field(c, 2) + w11 * field(d, 2),
    )


@compiled
def field(texel: Any, channel: int) -> Any:
    """One channel of a packed texel, in quarters."""
    return np.float32(np.int32((texel >> (FIELD * channel)) & MASK))


@compiled
def tint_one_level(points: Any, whole: Any, n: int) -> None:
    """Multiply n points' light by the texels of one level."""
    for k in range(n):
        r, g, b = between(points, whole, k)
        points[RED + k] *= FINENESS * r
        points[GREEN + k] *= FINENESS * g
        points[BLUE + k] *= FINENESS * b


@compiled
def tint_two_levels(points: Any, whole: Any, n: int) -> None:
    """Multiply n points' light by the texels of two levels."""
    shares, four = points[PAIR:], whole[LAYER:]
    for k in range(n):
        r, g, b = between(points, whole, k)
        s, t, u = between(shares, four, k)
        coarse = FINENESS * points[COARSE + k]
        fine = FINENESS - coarse
        points[RED + k] *= fine * r + coarse * s
        points[GREEN + k] *= fine * g + coarse * t
        points[BLUE + k] *= fine * b + coarse * u
