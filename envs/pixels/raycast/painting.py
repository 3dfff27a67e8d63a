"""Painting the pixels that show a primitive, or the sky."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import CENTRE, GRID
from envs.pixels.raycast.lighting import casts, in_shadow
from envs.pixels.raycast.rays import ONE, PLANE, ZERO, compiled, onto_axis
from envs.pixels.raycast.surfaces import HERE, light_plane, light_row, normal_at, tint
from envs.pixels.raycast.texturing import sample_cube

REPLACE, ADD, BLEND = 0, 1, 2
"""What becomes of the colour that a pixel had."""
WHITE = np.float32(255)
NOTICED = np.float32(1 / 255)
"""Less light than this changes no pixel, with or without a shadow."""


@compiled
def paint(
    p: int,
    kinds: Any,
    textures: Any,
    table: Any,
    lights: Any,
    texels: Any,
    levels: Any,
    rays_x: Any,
    rays_y: Any,
    step: Any,
    far: Any,
    windows: Any,
    depth: Any,
    shown: Any,
    shadows: bool,
    mode: int,
    share: Any,
    tags: Any,
    lit: Any,
    colours: Any,
) -> None:
    """Colour the pixels of primitive p's window that show it, in `colours` (H, W, 3), [0, 255].

    `mode` REPLACE sets, ADD adds, BLEND mixes with `share` of the new colour.
    """
    kind, texture, cube = kinds[p], textures[p, 0], textures[p, 1]
    gridded = kind == PLANE and table[p, GRID] > ZERO
    tags[:] = -1
    for y in range(windows[p, 0], windows[p, 1]):
        dy = rays_y[y]
        for x in range(windows[p, 2], windows[p, 3]):
            if shown[y, x] != p:
                continue
            dx, t = rays_x[x], depth[y, x]
            px, py, pz = t * dx, t * dy, -t
            ox, oy, oz = px - table[p, CENTRE], py - table[p, CENTRE + 1], pz - table[p, CENTRE + 2]
            u, v = onto_axis(table, p, 0, ox, oy, oz), onto_axis(table, p, 1, ox, oy, oz)
            w = onto_axis(table, p, 2, ox, oy, oz)
            nx, ny, nz = normal_at(kind, table, p, ox, oy, oz, u, v, w)
            if gridded:
                light_plane(lights, table, p, u, v, shadows, tags, lit)
            else:
                light_row(lights, table, p, px, py, pz, nx, ny, nz, shadows, lit, HERE)
            red, green, blue = lit[HERE, 0, 0], lit[HERE, 0, 1], lit[HERE, 0, 2]
            for light in range(lights.shape[0]):
                if casts(lights, light, shadows):
                    r, g, b = (
                        lit[HERE, 1 + light, 0],
                        lit[HERE, 1 + light, 1],
                        lit[HERE, 1 + light, 2],
                    )
                    dark = r + g + b < NOTICED
                    if not dark and not in_shadow(kinds, table, lights, light, far, px, py, pz):
                        red, green, blue = red + r, green + g, blue + b
            if texture >= 0:
                r, g, b = tint(
                    kind,
                    cube,
                    texels,
                    levels,
                    texture,
                    table,
                    p,
                    dx,
                    dy,
                    t,
                    step,
                    nx,
                    ny,
                    nz,
                    u,
                    v,
                    w,
                )
                red, green, blue = red * r, green * g, blue * b
            else:
                red, green, blue = red * WHITE, green * WHITE, blue * WHITE
            if mode == BLEND:
                red = share * red + (ONE - share) * colours[y, x, 0]
                green = share * green + (ONE - share) * colours[y, x, 1]
                blue = share * blue + (ONE - share) * colours[y, x, 2]
            elif mode == ADD:
                red += colours[y, x, 0]
                green += colours[y, x, 1]
                blue += colours[y, x, 2]
            colours[y, x, 0] = min(red, WHITE)
            colours[y, x, 1] = min(green, WHITE)
            colours[y, x, 2] = min(blue, WHITE)


@compiled
def paint_sky(
    sky: Any, edge: int, camera: Any, rays_x: Any, rays_y: Any, shown: Any, colours: Any
) -> None:
    """Colour the pixels that show no primitive; `camera` (9,) is its matrix."""
    c0, c1, c2 = np.float32(camera[0]), np.float32(camera[1]), np.float32(camera[2])
    c3, c4, c5 = np.float32(camera[3]), np.float32(camera[4]), np.float32(camera[5])
    c6, c7, c8 = np.float32(camera[6]), np.float32(camera[7]), np.float32(camera[8])
    for y in range(rays_y.shape[0]):
        dy = rays_y[y]
        bx, by, bz = c1 * dy - c2, c4 * dy - c5, c7 * dy - c8
        for x in range(rays_x.shape[0]):
            if shown[y, x] >= 0:
                continue
            if edge == 0:
                colours[y, x, 0] = colours[y, x, 1] = colours[y, x, 2] = ZERO
                continue
            dx = rays_x[x]
            # MuJoCo's sky box lies on its side: its y axis points up.
            sx, sy, sz = c0 * dx + bx, c3 * dx + by, c6 * dx + bz
            red, green, blue = sample_cube(sky, 0, edge, sx, sz, -sy)
            colours[y, x, 0], colours[y, x, 1], colours[y, x, 2] = red, green, blue
