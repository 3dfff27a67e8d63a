"""The sky's picture, which depends only on how the camera is turned, and is kept till it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.rays import ZERO, compiled
from envs.pixels.raycast.texturing import HALF, cube_face


@compiled
def paint_sky(stage: Any, camera: Any, work: Any) -> None:
    """Fill the picture with the sky, which is drawn anew where `camera` (9,), its matrix, differs.

    A picture that is kept is the same, bit for bit, as one drawn anew.
    """
    turned = False
    for c in range(9):
        # Also where there is none yet, which is marked by what equals nothing.
        turned = turned or camera[c] != work.sky_camera[c]
        work.sky_camera[c] = camera[c]
    if turned:
        draw_sky(stage.sky, stage.sky_edge, camera, stage.rays_x, stage.rays_y, work.sky)
    for at in range(work.sky.shape[0]):
        work.colours[at] = work.sky[at]


@compiled
def draw_sky(sky: Any, edge: int, camera: Any, rays_x: Any, rays_y: Any, out: Any) -> None:
    """Draw a whole picture of the sky into `out` (H·W·3,)."""
    if edge == 0:
        out[:] = ZERO
        return
    c0, c1, c2 = np.float32(camera[0]), np.float32(camera[1]), np.float32(camera[2])
    c3, c4, c5 = np.float32(camera[3]), np.float32(camera[4]), np.float32(camera[5])
    c6, c7, c8 = np.float32(camera[6]), np.float32(camera[7]), np.float32(camera[8])
    at = 0
    for dy in rays_y:
        for dx in rays_x:
            # MuJoCo's sky box lies on its side: its y axis points up.
            face, s, t = cube_face(
                c0 * dx + c1 * dy - c2, c6 * dx + c7 * dy - c8, -c3 * dx - c4 * dy + c5
            )
            u = min(max(s * np.float32(edge) - HALF, ZERO), np.float32(edge - 1))
            v = min(max(t * np.float32(edge) - HALF, ZERO), np.float32(edge - 1))
            x, y = int(u), int(v)
            x1, y1 = min(x + 1, edge - 1), min(y + 1, edge - 1)
            fx, fy = u - np.float32(x), v - np.float32(y)
            a, b = (int(face) * edge + y) * edge, (int(face) * edge + y1) * edge
            for c in range(3):
                low = sky[a + x, c] + fx * (sky[a + x1, c] - sky[a + x, c])
                high = sky[b + x, c] + fx * (sky[b + x1, c] - sky[b + x, c])
                out[at + c] = low + fy * (high - low)
            at += 3
