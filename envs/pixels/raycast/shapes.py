"""What a loop over rays or points needs to know of one primitive, held in registers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba

from envs.pixels.raycast.columns import AXES, CENTRE, SIZE


class Shape(NamedTuple):
    """Centre, three axes u, v, w, and the sizes a, b, c along them, in the camera's frame."""

    x: Any
    y: Any
    z: Any
    ux: Any
    uy: Any
    uz: Any
    vx: Any
    vy: Any
    vz: Any
    wx: Any
    wy: Any
    wz: Any
    a: Any
    b: Any
    c: Any


@numba.njit
def read_shape(table: Any, p: int) -> Any:
    """The shape of primitive p, from its row of the table."""
    return Shape(
        table[p, CENTRE],
        table[p, CENTRE + 1],
        table[p, CENTRE + 2],
        table[p, AXES],
        table[p, AXES + 1],
        table[p, AXES + 2],
        table[p, AXES + 3],
        table[p, AXES + 4],
        table[p, AXES + 5],
        table[p, AXES + 6],
        table[p, AXES + 7],
        table[p, AXES + 8],
        table[p, SIZE],
        table[p, SIZE + 1],
        table[p, SIZE + 2],
    )
