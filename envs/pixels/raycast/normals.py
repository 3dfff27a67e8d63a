"""Unit normals of primitives at points of a chunk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import NORMAL_X, NORMAL_Y, NORMAL_Z, U, V, W, X, Y, Z
from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    ONE,
    PLANE,
    ZERO,
    compiled,
)
from envs.pixels.raycast.shapes import Shape, read_shape

INSIDE = np.float32(0.9999)
"""Share of a cylinder's radius and height within which a point is on its lid."""


@compiled
def find_normals(kind: int, table: Any, p: int, points: Any, n: int) -> None:
    """Write the unit normals of primitive p at n points that `locate` has filled in."""
    s = read_shape(table, p)
    if kind == PLANE:
        for k in range(n):
            points[NORMAL_X + k], points[NORMAL_Y + k], points[NORMAL_Z + k] = (
                s.wx,
                s.wy,
                s.wz,
            )
    elif kind == BOX:
        box_normals(s, points, n)
    elif kind == ELLIPSOID:
        ellipsoid_normals(s, points, n)
    elif kind == CYLINDER:
        cylinder_normals(s, points, n)
    else:
        half = s.b if kind == CAPSULE else ZERO
        for k in range(n):
            middle = min(max(points[W + k], -half), half)
            x = points[X + k] - s.x - middle * s.wx
            y = points[Y + k] - s.y - middle * s.wy
            z = points[Z + k] - s.z - middle * s.wz
            put_unit(points, k, x, y, z)


@compiled
def put_unit(points: Any, k: int, x: Any, y: Any, z: Any) -> None:
    """Write a direction, scaled to length 1, as the normal of point k."""
    scale = ONE / math.sqrt(x * x + y * y + z * z)
    points[NORMAL_X + k], points[NORMAL_Y + k] = x * scale, y * scale
    points[NORMAL_Z + k] = z * scale


@compiled
def box_normals(s: Shape, points: Any, n: int) -> None:
    """Of the box's face that is nearest in proportion to its distance from the centre."""
    for k in range(n):
        u, v, w = points[U + k], points[V + k], points[W + k]
        a, b, c = abs(u) / s.a, abs(v) / s.b, abs(w) / s.c
        first = (a >= b) & (a >= c)
        second = b >= c
        along = u if first else (v if second else w)
        sign = ONE if along > ZERO else -ONE
        points[NORMAL_X + k] = sign * (s.ux if first else (s.vx if second else s.wx))
        points[NORMAL_Y + k] = sign * (s.uy if first else (s.vy if second else s.wy))
        points[NORMAL_Z + k] = sign * (s.uz if first else (s.vz if second else s.wz))


@compiled
def ellipsoid_normals(s: Shape, points: Any, n: int) -> None:
    """The gradient of the ellipsoid's quadratic form."""
    for k in range(n):
        a, b, c = (
            points[U + k] / (s.a * s.a),
            points[V + k] / (s.b * s.b),
            points[W + k],
        )
        c /= s.c * s.c
        put_unit(
            points,
            k,
            a * s.ux + b * s.vx + c * s.wx,
            a * s.uy + b * s.vy + c * s.wy,
            a * s.uz + b * s.vz + c * s.wz,
        )


@compiled
def cylinder_normals(s: Shape, points: Any, n: int) -> None:
    """The axis on the lids, away from it on the side."""
    for k in range(n):
        u, v, w = points[U + k], points[V + k], points[W + k]
        lid = (abs(w) >= s.b * INSIDE) & (u * u + v * v < s.a * s.a * INSIDE)
        sign = ONE if w > ZERO else -ONE
        x, y = points[X + k] - s.x - w * s.wx, points[Y + k] - s.y - w * s.wy
        z = points[Z + k] - s.z - w * s.wz
        put_unit(
            points,
            k,
            sign * s.wx if lid else x,
            sign * s.wy if lid else y,
            sign * s.wz if lid else z,
        )
