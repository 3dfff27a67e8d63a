"""A whole picture: placing, covering, shading, one world after the other, worlds in parallel."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from envs.pixels.raycast.coverage import bound, cover, rectangle
from envs.pixels.raycast.rays import ONE, PLANE, ZERO, inline, primitive_hit
from envs.pixels.raycast.surfaces import shade
from envs.pixels.raycast.texturing import sample_cube
from envs.pixels.raycast.workspace import one_of

OPAQUE = np.float32(0.995)
"""MuJoCo blends what has less alpha."""
BEHIND = np.float32(0.3)
"""A plane seen from behind keeps this share of its alpha."""
WHITE = np.float32(255)
HALF = np.float32(0.5)
SELF = np.float32(1e-3)
"""Share of the way to a light within which nothing throws a shadow, else a surface throws its own."""


@inline
def rotate(camera: Any, x: Any, y: Any, z: Any) -> Any:
    """World to camera: the transpose of the camera's matrix, given as (9,)."""
    return (
        camera[0] * x + camera[3] * y + camera[6] * z,
        camera[1] * x + camera[4] * y + camera[7] * z,
        camera[2] * x + camera[5] * y + camera[8] * z,
    )


@inline
def place(scene: Any, pose: Any, n: int, camera: int, work: Any) -> None:
    """Write all primitives and lights of world n, in the camera's frame, into `work`."""
    eye, frame = pose.cam_xpos[n, camera], pose.cam_xmat[n, camera]
    for p in range(scene.kind.shape[0]):
        index, source = scene.index[p], scene.source[p]
        if source == 2:
            continue
        where = pose.geom_xpos[n, index] if source == 0 else pose.site_xpos[n, index]
        turn = pose.geom_xmat[n, index] if source == 0 else pose.site_xmat[n, index]
        x, y, z = rotate(frame, where[0] - eye[0], where[1] - eye[1], where[2] - eye[2])
        work.centres[p, 0], work.centres[p, 1], work.centres[p, 2] = x, y, z
        for axis in range(3):
            x, y, z = rotate(frame, turn[axis], turn[3 + axis], turn[6 + axis])
            work.axes[p, axis, 0], work.axes[p, axis, 1], work.axes[p, axis, 2] = x, y, z
    count = pose.light_xpos.shape[1]
    for light in range(count):
        where, aim = pose.light_xpos[n, light], pose.light_xdir[n, light]
        x, y, z = rotate(frame, where[0] - eye[0], where[1] - eye[1], where[2] - eye[2])
        work.lights[light, 0], work.lights[light, 1], work.lights[light, 2] = x, y, z
        x, y, z = rotate(frame, aim[0], aim[1], aim[2])
        work.lights[light, 3], work.lights[light, 4], work.lights[light, 5] = x, y, z
    if work.lights.shape[0] > count:
        work.lights[count, :] = ZERO
        work.lights[count, 5] = -ONE


@inline
def see(scene: Any, view: Any, work: Any, all_of_them: bool) -> None:
    """Fill the depth buffer with the opaque primitives, or with all of them."""
    work.depth[:, :] = scene.far
    work.shown[:, :] = -1
    height, width = work.depth.shape
    for p in range(scene.kind.shape[0]):
        kind, window = scene.kind[p], work.windows[p]
        centre, axes, size = work.centres[p], work.axes[p], work.sizes[p]
        behind = False
        if kind == PLANE:
            window[0], window[1], window[2], window[3] = 0, height, 0, width
            behind = axes[2, 0] * centre[0] + axes[2, 1] * centre[1] + axes[2, 2] * centre[2] > ZERO
        else:
            found = bound(kind, centre, axes, size, view.near, work.bounds)
            window[0], window[1], window[2], window[3] = 0, height, 0, width
            if found == 0:
                window[1] = 0
            elif found == 1:
                rectangle(work.bounds, view.rays_x, view.rays_y, window)
        alpha = scene.material[p, 3]
        work.alpha[p] = alpha * BEHIND if behind else alpha
        if all_of_them or work.alpha[p] >= OPAQUE:
            cover(
                p,
                kind,
                centre,
                axes,
                size,
                window,
                view.rays_x,
                view.rays_y,
                view.near,
                work.depth,
                work.shown,
            )


@inline
def in_shadow(scene: Any, work: Any, light: int, px: Any, py: Any, pz: Any) -> bool:
    """Whether any primitive but a plane stands between a point and a light."""
    if scene.light_constants[light, 9] > ZERO:
        far = scene.far
        dx, dy, dz = (
            -work.lights[light, 3] * far,
            -work.lights[light, 4] * far,
            -work.lights[light, 5] * far,
        )
    else:
        dx, dy, dz = (
            work.lights[light, 0] - px,
            work.lights[light, 1] - py,
            work.lights[light, 2] - pz,
        )
    square = dx * dx + dy * dy + dz * dz
    for p in range(scene.kind.shape[0]):
        if scene.kind[p] == PLANE:
            continue
        cx, cy, cz = work.centres[p, 0] - px, work.centres[p, 1] - py, work.centres[p, 2] - pz
        along = (cx * dx + cy * dy + cz * dz) / square
        qx, qy, qz = cx - along * dx, cy - along * dy, cz - along * dz
        if qx * qx + qy * qy + qz * qz > work.reach[p] * work.reach[p]:
            continue
        t = primitive_hit(scene.kind[p], cx, cy, cz, work.axes[p], work.sizes[p], dx, dy, dz)
        if t > SELF and t < ONE:
            return True
    return False


@inline
def opaque_colour(
    scene: Any, view: Any, work: Any, p: int, dx: Any, dy: Any, t: Any, colour: Any
) -> None:
    """Write the colour in [0, 255] of an opaque hit, shadows included, into `colour`."""
    shade(scene, p, work, dx, dy, t, view.step, view.shadows)
    lit = work.lit
    for c in range(3):
        colour[c] = lit[0, c]
    if view.shadows:
        for light in range(scene.light_constants.shape[0]):
            row = 1 + light
            bright = lit[row, 0] + lit[row, 1] + lit[row, 2] > ONE
            if scene.light_constants[light, 15] > ZERO and bright:
                if not in_shadow(scene, work, light, t * dx, t * dy, -t):
                    for c in range(3):
                        colour[c] += lit[row, c]


@inline
def draw(scene: Any, view: Any, pose: Any, n: int, camera: int, work: Any, frame: Any) -> None:
    """Draw world n into `frame` (H, W, 3)."""
    place(scene, pose, n, camera, work)
    see(scene, view, work, False)
    work.tags[:] = -1
    eye = pose.cam_xmat[n, camera]
    height, width = work.depth.shape
    colour = work.colour
    for y in range(height):
        dy = view.rays_y[y]
        for x in range(width):
            dx, p = view.rays_x[x], work.shown[y, x]
            if p >= 0:
                opaque_colour(scene, view, work, p, dx, dy, work.depth[y, x], colour)
            elif view.sky_edge > 0:
                sx = np.float32(eye[0]) * dx + np.float32(eye[1]) * dy - np.float32(eye[2])
                sy = np.float32(eye[3]) * dx + np.float32(eye[4]) * dy - np.float32(eye[5])
                sz = np.float32(eye[6]) * dx + np.float32(eye[7]) * dy - np.float32(eye[8])
                # MuJoCo's sky box lies on its side: its y axis points up.
                sample_cube(view.sky, 0, view.sky_edge, sx, sz, -sy, colour)
            else:
                colour[0] = colour[1] = colour[2] = ZERO
            for c in range(3):
                frame[y, x, c] = np.uint8(min(colour[c], WHITE) + HALF)


@numba.njit(cache=True, parallel=True)
def draw_all(scene: Any, view: Any, pose: Any, camera: int, works: Any, frames: Any) -> None:
    """Draw N worlds into `frames` (N, H, W, 3), with each of S workspaces a share of them."""
    count, total = works.depth.shape[0], frames.shape[0]
    for share in numba.prange(count):
        work = one_of(works, share)
        for n in range(share * total // count, (share + 1) * total // count):
            draw(scene, view, pose, n, camera, work, frames[n])


@numba.njit(cache=True, parallel=True)
def segment_all(
    scene: Any, view: Any, pose: Any, camera: int, works: Any, masks: Any, depths: Any
) -> None:
    """Write what every pixel shows into `masks` and how far it is into `depths`, both (N, H, W)."""
    count, total = works.depth.shape[0], masks.shape[0]
    for share in numba.prange(count):
        work = one_of(works, share)
        for n in range(share * total // count, (share + 1) * total // count):
            place(scene, pose, n, camera, work)
            see(scene, view, work, True)
            for y in range(masks.shape[1]):
                for x in range(masks.shape[2]):
                    p = work.shown[y, x]
                    masks[n, y, x] = scene.label[p] if p >= 0 else -1
                    depths[n, y, x] = work.depth[y, x] if p >= 0 else np.inf
