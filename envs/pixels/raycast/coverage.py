"""Which primitive every pixel shows: screen rectangles, and a depth buffer over them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.pixels.raycast.rays import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,

    PLANE,
    SPHERE,
    ZERO,
    box_hit,
    capsule_hit,
    cylinder_hit,
    ellipsoid_hit,
    inline,
    plane_hit,
    sphere_hit,
)

DOWN = np.float32(-1)


@inline
def slopes(across: Any, depth: Any, radius: Any) -> Any:
    """Least and greatest across/depth at which a plane through the camera touches a sphere."""
    square = depth * depth - radius * radius
    root = radius * math.sqrt(max(across * across + square, ZERO))
    return (across * depth - root) / square, (across * depth + root) / square


@inline
def widen(bounds: Any, cx: Any, cy: Any, cz: Any, radius: Any, near: Any) -> bool:
    """Let `bounds` (left, right, bottom, top) hold a sphere; False if it reaches the camera."""
    depth = -cz
    if depth - radius <= near:
        return False
    low, high = slopes(cx, depth, radius)
    bounds[0], bounds[1] = min(bounds[0], low), max(bounds[1], high)
    low, high = slopes(cy, depth, radius)
    bounds[2], bounds[3] = min(bounds[2], low), max(bounds[3], high)
    return True


@inline
def bound(kind: int, centre: Any, axes: Any, size: Any, near: Any, bounds: Any) -> int:
    """Slopes that hold a primitive; 1 if found, 0 if it is behind the camera, -1 if it is around.

    A sphere's and a capsule's are exact; a cylinder's are its capsule's, a box's and an
    ellipsoid's those of the eight corners.
    """
    bounds[0] = bounds[2] = np.float32(1e30)
    bounds[1] = bounds[3] = np.float32(-1e30)
    cx, cy, cz = centre[0], centre[1], centre[2]
    if kind == SPHERE:
        if cz - size[0] > -near:
            return 0
        return 1 if widen(bounds, cx, cy, cz, size[0], near) else -1
    if kind == CAPSULE or kind == CYLINDER:
        radius, half = size[0], size[1]
        if cz - abs(axes[2, 2]) * half - radius > -near:
            return 0
        for end in (-half, half):
            x, y, z = cx + end * axes[2, 0], cy + end * axes[2, 1], cz + end * axes[2, 2]
            if not widen(bounds, x, y, z, radius, near):
                return -1
        return 1
    reach = abs(axes[0, 2]) * size[0] + abs(axes[1, 2]) * size[1] + abs(axes[2, 2]) * size[2]
    if cz - reach > -near:
        return 0
    if cz + reach >= -near:
        return -1
    for corner in range(8):
        a = size[0] if corner & 1 else -size[0]
        b = size[1] if corner & 2 else -size[1]
        c = size[2] if corner & 4 else -size[2]
        x = cx + a * axes[0, 0] + b * axes[1, 0] + c * axes[2, 0]
        y = cy + a * axes[0, 1] + b * axes[1, 1] + c * axes[2, 1]
        z = cz + a * axes[0, 2] + b * axes[1, 2] + c * axes[2, 2]
        bounds[0], bounds[1] = min(bounds[0], -x / z), max(bounds[1], -x / z)
        bounds[2], bounds[3] = min(bounds[2], -y / z), max(bounds[3], -y / z)
    return 1


@inline
def rectangle(bounds: Any, rays_x: Any, rays_y: Any, out: Any) -> None:
    """Rows and columns whose rays lie within `bounds`: first and last row, then column."""
    width, height = rays_x.shape[0], rays_y.shape[0]
    step_x = (rays_x[width - 1] - rays_x[0]) / max(width - 1, 1)
    step_y = (rays_y[height - 1] - rays_y[0]) / max(height - 1, 1)
    # A single row or column has no step: all of it.
    if width == 1 or height == 1:
        out[0], out[1], out[2], out[3] = 0, height, 0, width
        return
    most = np.float32(1e6)
    out[0] = max(0, int(min(max((bounds[3] - rays_y[0]) / step_y, -most), most)))
    out[1] = min(height, int(min(max((bounds[2] - rays_y[0]) / step_y, -most), most)) + 2)
    out[2] = max(0, int(min(max((bounds[0] - rays_x[0]) / step_x, -most), most)))
    out[3] = min(width, int(min(max((bounds[1] - rays_x[0]) / step_x, -most), most)) + 2)


@inline
def cover(
    primitive: int,
    kind: int,
    centre: Any,
    axes: Any,
    size: Any,
    window: Any,
    rays_x: Any,
    rays_y: Any,
    near: Any,
    depth: Any,
    shown: Any,
) -> None:
    """Put a primitive into the depth buffer (H, W) and its index into `shown`, in its window.

    A loop for each kind, so that what is constant over pixels stays in registers.
    """
    cx, cy, cz = centre[0], centre[1], centre[2]
    ux, uy, uz = axes[2, 0], axes[2, 1], axes[2, 2]
    sx, sy, sz = size[0], size[1], size[2]
    xs = rays_x[window[2] : window[3]]
    for row in range(window[0], window[1]):
        dy = rays_y[row]
        depths = depth[row, window[2] : window[3]]
        shows = shown[row, window[2] : window[3]]
        if kind == PLANE:
            for k in range(xs.shape[0]):
                t = plane_hit(cx, cy, cz, axes, sx, sy, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
        elif kind == SPHERE:
            for k in range(xs.shape[0]):
                t = sphere_hit(cx, cy, cz, sx, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
        elif kind == CAPSULE:
            for k in range(xs.shape[0]):
                t = capsule_hit(cx, cy, cz, ux, uy, uz, sx, sy, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
        elif kind == CYLINDER:
            for k in range(xs.shape[0]):
                t = cylinder_hit(cx, cy, cz, ux, uy, uz, sx, sy, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
        elif kind == ELLIPSOID:
            for k in range(xs.shape[0]):
                t = ellipsoid_hit(cx, cy, cz, axes, sx, sy, sz, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
        elif kind == BOX:
            for k in range(xs.shape[0]):
                t = box_hit(cx, cy, cz, axes, sx, sy, sz, xs[k], dy, DOWN)
                if t < depths[k] and t > near:
                    depths[k] = t
                    shows[k] = primitive
