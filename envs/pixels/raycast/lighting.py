"""OpenGL's fixed lighting of a point: ambient, diffuse and highlight of a light.

The point is lit as OpenGL 1.x lights a vertex (the specification of version 2.1, section 2.14.1,
with a local viewer), because that is what MuJoCo's own pictures show.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.columns import (
    AMBIENT,
    ATTENUATION,
    CASTS,
    CENTRE,
    CUTOFF,
    DIFFUSE,
    DIRECTION,
    DIRECTIONAL,
    EXPONENT,
    FOCUS,
    POSITION,
    REACH,
    RGB,
    SHINE,
    SPECULAR,
)
from envs.pixels.raycast.rays import ONE, PLANE, ZERO, compiled, primitive_hit

SELF = np.float32(1e-3)
"""Share of the way to a light within which nothing shades, lest a surface shade itself."""


@compiled
def power(base: Any, exponent: Any) -> Any:
    """base ** exponent for a base in [0, 1]; whole exponents by squaring."""
    whole = int(exponent)
    if np.float32(whole) != exponent:
        return np.float32(math.pow(base, exponent))
    result = ONE
    while whole > 0:
        if whole & 1:
            result *= base
        base *= base
        whole >>= 1
    return result


@compiled
def light_by(
    lights: Any,
    light: int,
    table: Any,
    p: int,
    px: Any,
    py: Any,
    pz: Any,
    nx: Any,
    ny: Any,
    nz: Any,
) -> Any:
    """Red, green and blue that one light gives a point with unit normal n on primitive p.

    The camera is at the origin.
    """
    lx, ly, lz = (
        -lights[light, DIRECTION],
        -lights[light, DIRECTION + 1],
        -lights[light, DIRECTION + 2],
    )
    strength = ONE
    if lights[light, DIRECTIONAL] == ZERO:
        tx, ty = lights[light, POSITION] - px, lights[light, POSITION + 1] - py
        tz = lights[light, POSITION + 2] - pz
        square = tx * tx + ty * ty + tz * tz
        inverse = ONE / math.sqrt(square)
        tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
        spot = tx * lx + ty * ly + tz * lz
        if spot < lights[light, CUTOFF]:
            return ZERO, ZERO, ZERO
        strength = ONE / (
            lights[light, ATTENUATION]
            + lights[light, ATTENUATION + 1] * square * inverse
            + lights[light, ATTENUATION + 2] * square
        )
        if lights[light, FOCUS] > ZERO:
            strength *= power(max(spot, ZERO), lights[light, FOCUS])
        lx, ly, lz = tx, ty, tz
    facing, glint = nx * lx + ny * ly + nz * lz, ZERO
    if facing > ZERO:
        away = ONE / math.sqrt(px * px + py * py + pz * pz)
        hx, hy, hz = lx - px * away, ly - py * away, lz - pz * away
        half = (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz)
        glint = table[p, SHINE] * power(min(max(half, ZERO), ONE), table[p, EXPONENT])
    facing = max(facing, ZERO)
    red = lights[light, AMBIENT] + facing * lights[light, DIFFUSE]
    green = lights[light, AMBIENT + 1] + facing * lights[light, DIFFUSE + 1]
    blue = lights[light, AMBIENT + 2] + facing * lights[light, DIFFUSE + 2]
    return (
        strength * (red * table[p, RGB] + glint * lights[light, SPECULAR]),
        strength * (green * table[p, RGB + 1] + glint * lights[light, SPECULAR + 1]),
        strength * (blue * table[p, RGB + 2] + glint * lights[light, SPECULAR + 2]),
    )


@compiled
def in_shadow(
    kinds: Any, table: Any, lights: Any, light: int, far: Any, px: Any, py: Any, pz: Any
) -> bool:
    """Whether any primitive but a plane stands between a point and a light."""
    if lights[light, DIRECTIONAL] > ZERO:
        dx, dy = -lights[light, DIRECTION] * far, -lights[light, DIRECTION + 1] * far
        dz = -lights[light, DIRECTION + 2] * far
    else:
        dx, dy = lights[light, POSITION] - px, lights[light, POSITION + 1] - py
        dz = lights[light, POSITION + 2] - pz
    square = dx * dx + dy * dy + dz * dz
    for p in range(kinds.shape[0]):
        if kinds[p] == PLANE:
            continue
        cx, cy, cz = table[p, CENTRE] - px, table[p, CENTRE + 1] - py, table[p, CENTRE + 2] - pz
        along = (cx * dx + cy * dy + cz * dz) / square
        qx, qy, qz = cx - along * dx, cy - along * dy, cz - along * dz
        if qx * qx + qy * qy + qz * qz > table[p, REACH] * table[p, REACH]:
            continue
        t = primitive_hit(kinds[p], table, p, cx, cy, cz, dx, dy, dz)
        if t > SELF and t < ONE:
            return True
    return False


@compiled
def casts(lights: Any, light: int, shadows: bool) -> bool:
    """Whether a light is drawn in a pass of its own, because it throws shadows."""
    return shadows and lights[light, CASTS] > ZERO
