"""OpenGL's fixed lighting of points: ambient, diffuse and highlight of a light.

Points are lit as OpenGL 1.x lights a vertex (the specification of version 2.1, section 2.14.1,
with a local viewer), because that is what MuJoCo's own pictures show.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import (
    BLUE,
    CHUNK,
    GREEN,
    NORMAL_X,
    NORMAL_Y,
    NORMAL_Z,
    PART_BLUE,
    PART_GREEN,
    PART_RED,
    RED,
    SPARE,
    X,
    Y,
    Z,
)
from envs.pixels.raycast.columns import (
    AMBIENT,
    ATTENUATION,
    CASTS,
    CUTOFF,
    DIFFUSE,
    DIRECTION,
    DIRECTIONAL,
    EMISSION,
    EXPONENT,
    FOCUS,
    POSITION,
    RGB,
    SHINE,
    SPECULAR,
)
from envs.pixels.raycast.rays import ONE, ZERO, compiled

GLOBAL_AMBIENT = np.float32(0.3)
"""Ambient light where a model has no light at all."""
TO_X, TO_Y, TO_Z, STRENGTH = SPARE, SPARE + CHUNK, SPARE + 2 * CHUNK, SPARE + 3 * CHUNK
"""Unit vector to the light, and what its distance and cone leave of it."""
COSINE, FACING, RESULT = SPARE + 4 * CHUNK, SPARE + 5 * CHUNK, SPARE + 6 * CHUNK


@compiled
def casts(lights: Any, light: int, shadows: bool) -> bool:
    """Whether a light is drawn in a pass of its own, because it throws shadows."""
    return shadows and lights[light, CASTS] > ZERO


@compiled
def raise_cosines(points: Any, n: int, exponent: Any) -> None:
    """Replace cosines in [0, 1] by their power; whole exponents by squaring."""
    whole = int(exponent)
    if np.float32(whole) != exponent:
        for k in range(n):
            points[COSINE + k] = np.float32(math.pow(points[COSINE + k], exponent))
        return
    for k in range(n):
        points[RESULT + k] = ONE
    while whole > 0:
        if whole & 1:
            for k in range(n):
                points[RESULT + k] *= points[COSINE + k]
        whole >>= 1
        if whole:
            for k in range(n):
                points[COSINE + k] *= points[COSINE + k]
    for k in range(n):
        points[COSINE + k] = points[RESULT + k]


@compiled
def aim(lights: Any, light: int, points: Any, n: int) -> None:
    """Write the direction to a light, and its strength, at n points."""
    lx, ly = -lights[light, DIRECTION], -lights[light, DIRECTION + 1]
    lz = -lights[light, DIRECTION + 2]
    if lights[light, DIRECTIONAL] > ZERO:
        for k in range(n):
            points[TO_X + k], points[TO_Y + k], points[TO_Z + k] = lx, ly, lz
            points[STRENGTH + k] = ONE
        return
    x, y, z = (
        lights[light, POSITION],
        lights[light, POSITION + 1],
        lights[light, POSITION + 2],
    )
    constant, linear = lights[light, ATTENUATION], lights[light, ATTENUATION + 1]
    quadratic, cutoff = lights[light, ATTENUATION + 2], lights[light, CUTOFF]
    for k in range(n):
        tx, ty, tz = x - points[X + k], y - points[Y + k], z - points[Z + k]
        square = tx * tx + ty * ty + tz * tz
        inverse = ONE / math.sqrt(square)
        tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
        spot = tx * lx + ty * ly + tz * lz
        strength = ONE / (constant + linear * square * inverse + quadratic * square)
        points[TO_X + k], points[TO_Y + k], points[TO_Z + k] = tx, ty, tz
        points[STRENGTH + k] = strength if spot >= cutoff else ZERO
        points[COSINE + k] = max(spot, ZERO)
    if lights[light, FOCUS] > ZERO:
        raise_cosines(points, n, lights[light, FOCUS])
        for k in range(n):
            points[STRENGTH + k] *= points[COSINE + k]


@compiled
def light_by(lights: Any, light: int, table: Any, p: int, points: Any, n: int) -> None:
    """Write what one light gives n points on primitive p; the camera is at the origin."""
    aim(lights, light, points, n)
    for k in range(n):
        nx, ny, nz = points[NORMAL_X + k], points[NORMAL_Y + k], points[NORMAL_Z + k]
        lx, ly, lz = points[TO_X + k], points[TO_Y + k], points[TO_Z + k]
        x, y, z = points[X + k], points[Y + k], points[Z + k]
        facing = nx * lx + ny * ly + nz * lz
        away = ONE / math.sqrt(x * x + y * y + z * z)
        hx, hy, hz = lx - x * away, ly - y * away, lz - z * away
        half = (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz)
        half = min(max(half, ZERO), ONE)
        points[COSINE + k] = half if facing > ZERO else ZERO
        points[FACING + k] = max(facing, ZERO)
    raise_cosines(points, n, table[p, EXPONENT])
    put_part(lights, light, table, p, points, n, PART_RED, 0)
    put_part(lights, light, table, p, points, n, PART_GREEN, 1)
    put_part(lights, light, table, p, points, n, PART_BLUE, 2)


@compiled
def put_part(
    lights: Any,
    light: int,
    table: Any,
    p: int,
    points: Any,
    n: int,
    row: int,
    channel: int,
) -> None:
    """Write one channel of a light's part from its directions, strengths and highlights."""
    own, gleam = (
        table[p, RGB + channel],
        table[p, SHINE] * lights[light, SPECULAR + channel],
    )
    ambient, diffuse = (
        own * lights[light, AMBIENT + channel],
        own * lights[light, DIFFUSE + channel],
    )
    out = points[row:]
    for k in range(n):
        lit = ambient + diffuse * points[FACING + k]
        glint = gleam * points[COSINE + k] if points[FACING + k] > ZERO else ZERO
        out[k] = points[STRENGTH + k] * (lit + glint)


@compiled
def light_without_shadow(
    lights: Any, table: Any, p: int, shadows: bool, points: Any, n: int
) -> None:
    """Write the sum of the lights that throw no shadow, clipped at 1 as each of OpenGL's passes."""
    ambient = table[p, EMISSION] if lights.shape[0] else table[p, EMISSION] + GLOBAL_AMBIENT
    red, green, blue = table[p, RGB], table[p, RGB + 1], table[p, RGB + 2]
    for k in range(n):
        points[RED + k] = ambient * red
        points[GREEN + k] = ambient * green
        points[BLUE + k] = ambient * blue
    for light in range(lights.shape[0]):
        if not casts(lights, light, shadows):
            light_by(lights, light, table, p, points, n)
            for k in range(n):
                points[RED + k] += points[PART_RED + k]
                points[GREEN + k] += points[PART_GREEN + k]
                points[BLUE + k] += points[PART_BLUE + k]
    for k in range(n):
        points[RED + k] = min(points[RED + k], ONE)
        points[GREEN + k] = min(points[GREEN + k], ONE)
        points[BLUE + k] = min(points[BLUE + k], ONE)


@compiled
def clip_part(points: Any, n: int) -> None:
    """Clip a light's part at 1, as each of OpenGL's passes."""
    for k in range(n):
        points[PART_RED + k] = min(points[PART_RED + k], ONE)
        points[PART_GREEN + k] = min(points[PART_GREEN + k], ONE)
        points[PART_BLUE + k] = min(points[PART_BLUE + k], ONE)
