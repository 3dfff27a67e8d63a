"""Where on a primitive the shadows of the others may fall: a rectangle for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import CENTRE, DIRECTION, DIRECTIONAL, POSITION, REACH
from envs.pixels.raycast.rays import CAPSULE, CYLINDER, ONE, PLANE, SPHERE, ZERO, compiled
from envs.pixels.raycast.shapes import Shape, read_shape

EVERYWHERE = np.float32(1e30)
MARGIN = np.float32(1e-2)
"""Share of a primitive's radius by which the rectangle that holds its shadow is larger."""
STEEP = np.float32(0.999)
"""A primitive that reaches this share of a light's height may shade anything."""


@compiled
def put_rectangle(reaches: Any, q: int, left: Any, right: Any, low: Any, high: Any) -> None:
    """Write where a primitive's shadow may fall."""
    reaches[q, 0], reaches[q, 1], reaches[q, 2], reaches[q, 3] = left, right, low, high


@compiled
def find_reaches(
    kinds: Any, table: Any, p: int, lights: Any, light: int, far: Any, reaches: Any
) -> None:
    """Write the rectangle, on primitive p's first two axes, that holds each one's shadow on p.

    A convex primitive does not shade itself where it faces the light, and gets nothing elsewhere.
    """
    s = read_shape(table, p)
    for q in range(kinds.shape[0]):
        put_rectangle(reaches, q, EVERYWHERE, -EVERYWHERE, EVERYWHERE, -EVERYWHERE)
        if kinds[q] == PLANE or q == p:
            continue
        if kinds[p] == PLANE:
            fall_on_plane(s, kinds[q], table, q, lights, light, reaches)
        elif may_meet(table, p, q, lights, light, far):
            put_rectangle(reaches, q, -EVERYWHERE, EVERYWHERE, -EVERYWHERE, EVERYWHERE)


@compiled
def may_meet(table: Any, p: int, q: int, lights: Any, light: int, far: Any) -> bool:
    """Whether the ways from sphere p to a light may meet sphere q."""
    square, along, apart = ZERO, ZERO, ZERO
    for c in range(3):
        toward = -lights[light, DIRECTION + c] * far
        if lights[light, DIRECTIONAL] == ZERO:
            toward = lights[light, POSITION + c] - table[p, CENTRE + c]
        gap = table[q, CENTRE + c] - table[p, CENTRE + c]
        square, along, apart = (
            square + toward * toward,
            along + toward * gap,
            apart + gap * gap,
        )
    share = min(max(along / square, ZERO), ONE)
    reach = table[p, REACH] + table[q, REACH]
    return apart - share * (along + along - share * square) <= reach * reach * (ONE + MARGIN)


@compiled
def extent(kind: int, s: Shape, x: Any, y: Any, z: Any) -> Any:
    """How far a primitive reaches from its centre in a direction; of an ellipsoid, its box does."""
    along = abs(s.wx * x + s.wy * y + s.wz * z)
    if kind == SPHERE:
        return s.a
    if kind in (CAPSULE, CYLINDER):
        return s.a + s.b * along
    first, second = (
        abs(s.ux * x + s.uy * y + s.uz * z),
        abs(s.vx * x + s.vy * y + s.vz * z),
    )
    return s.a * first + s.b * second + s.c * along


@compiled
def fall_on_plane(
    s: Shape, kind: int, table: Any, q: int, lights: Any, light: int, reaches: Any
) -> None:
    """Write the rectangle that holds primitive q's shadow on the plane s.

    The shadow of a box along the plane's axes is that of its lower and its upper face.
    """
    o = read_shape(table, q)
    x, y, z = o.x - s.x, o.y - s.y, o.z - s.z
    u, v = s.ux * x + s.uy * y + s.uz * z, s.vx * x + s.vy * y + s.vz * z
    height = s.wx * x + s.wy * y + s.wz * z
    margin = MARGIN * table[q, REACH]
    wide, long = extent(kind, o, s.ux, s.uy, s.uz), extent(kind, o, s.vx, s.vy, s.vz)
    tall = extent(kind, o, s.wx, s.wy, s.wz) + margin
    wide, long = wide + margin, long + margin
    directional = lights[light, DIRECTIONAL] > ZERO
    x, y, z = (
        -lights[light, DIRECTION],
        -lights[light, DIRECTION + 1],
        -lights[light, DIRECTION + 2],
    )
    if not directional:
        x, y = lights[light, POSITION] - s.x, lights[light, POSITION + 1] - s.y
        z = lights[light, POSITION + 2] - s.z
    light_u, light_v = s.ux * x + s.uy * y + s.uz * z, s.vx * x + s.vy * y + s.vz * z
    light_height = s.wx * x + s.wy * y + s.wz * z
    if light_height < ZERO:
        light_height, height = -light_height, -height
    low, high = max(height - tall, ZERO), height + tall
    if high <= ZERO:
        return
    if light_height <= ZERO or (not directional and high >= STEEP * light_height):
        put_rectangle(reaches, q, -EVERYWHERE, EVERYWHERE, -EVERYWHERE, EVERYWHERE)
        return
    if directional:
        du, dv = light_u / light_height, light_v / light_height
        put_rectangle(
            reaches,
            q,
            u - wide - max(low * du, high * du),
            u + wide - min(low * du, high * du),
            v - long - max(low * dv, high * dv),
            v + long - min(low * dv, high * dv),
        )
        return
    u, v = u - light_u, v - light_v
    near, far = (
        light_height / (light_height - low),
        light_height / (light_height - high),
    )
    put_rectangle(
        reaches,
        q,
        light_u + min((u - wide) * near, (u - wide) * far),
        light_u + max((u + wide) * near, (u + wide) * far),
        light_v + min((v - long) * near, (v - long) * far),
        light_v + max((v + long) * near, (v + long) * far),
    )
