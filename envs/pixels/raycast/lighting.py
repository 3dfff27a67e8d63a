"""OpenGL's fixed lighting of a point: ambient, diffuse and highlight of every light.

The point is lit as OpenGL 1.x lights a vertex (the specification of version 2.1, section 2.14.1,
with a local viewer), because that is what MuJoCo's own pictures show.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.rays import ONE, ZERO, inline

GLOBAL_AMBIENT = np.float32(0.3)
"""Ambient light where a model has no light at all."""


@inline
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


@inline
def light_point(
    px: Any,
    py: Any,
    pz: Any,
    nx: Any,
    ny: Any,
    nz: Any,
    material: Any,
    lights: Any,
    constants: Any,
    apart: bool,
    lit: Any,
) -> None:
    """Write the colour of a point p with unit normal n, before its texture, into `lit` (1 + L, 3).

    Row 0 is the sum of all lights; if `apart`, of those that cast no shadow, and row 1 + l is what
    light l adds where it is not in shadow. Rows are clipped at 1, as each of OpenGL's passes is.
    The camera is at the origin; `lights` (L, 6) holds positions and directions.
    """
    shine, exponent, emission = material[5], material[6], material[4]
    ambient = emission if constants.shape[0] else emission + GLOBAL_AMBIENT
    for c in range(3):
        lit[0, c] = ambient * material[c]
    away = ONE / math.sqrt(px * px + py * py + pz * pz)
    for light in range(constants.shape[0]):
        row = 0
        if apart and constants[light, 15] > ZERO:
            row = 1 + light
            lit[row, 0] = lit[row, 1] = lit[row, 2] = ZERO
        lx, ly, lz, strength = -lights[light, 3], -lights[light, 4], -lights[light, 5], ONE
        if constants[light, 9] == ZERO:
            tx, ty, tz = lights[light, 0] - px, lights[light, 1] - py, lights[light, 2] - pz
            square = tx * tx + ty * ty + tz * tz
            inverse = ONE / math.sqrt(square)
            distance = square * inverse
            tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
            spot = tx * lx + ty * ly + tz * lz
            if spot < constants[light, 13]:
                continue
            strength = ONE / (
                constants[light, 10]
                + constants[light, 11] * distance
                + constants[light, 12] * square
            )
            if constants[light, 14] > ZERO:
                strength *= power(max(spot, ZERO), constants[light, 14])
            lx, ly, lz = tx, ty, tz
        facing = nx * lx + ny * ly + nz * lz
        glint = ZERO
        if facing > ZERO:
            hx, hy, hz = lx - px * away, ly - py * away, lz - pz * away
            half = (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz)
            glint = shine * power(min(max(half, ZERO), ONE), exponent)
        facing = max(facing, ZERO)
        for c in range(3):
            own = constants[light, c] + facing * constants[light, 3 + c]
            lit[row, c] += strength * (own * material[c] + glint * constants[light, 6 + c])
    for row in range(lit.shape[0]):
        for c in range(3):
            lit[row, c] = min(lit[row, c], ONE)
