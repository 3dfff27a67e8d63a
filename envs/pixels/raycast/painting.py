"""Painting the pixels that show a primitive."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import (
    BLUE,
    CHUNK,
    DEPTH,
    GREEN,
    PART_BLUE,
    PART_GREEN,
    PART_RED,
    RAY_X,
    RAY_Y,
    RED,
    SEEN,
    locate,
    pad,
)
from envs.pixels.raycast.columns import GRID
from envs.pixels.raycast.grids import find_keys, find_runs, light_corners, spread
from envs.pixels.raycast.lighting import (
    casts,
    clip_part,
    light_by,
    light_without_shadow,
)
from envs.pixels.raycast.normals import find_normals
from envs.pixels.raycast.rays import ONE, PLANE, ZERO, compiled
from envs.pixels.raycast.shadow_reaches import find_reaches
from envs.pixels.raycast.shadows import bound_blocks, find_shadows
from envs.pixels.raycast.tinting import tint

REPLACE, ADD, BLEND = 0, 1, 2
"""What becomes of the colour that a pixel had."""
WHITE = np.float32(255)


@compiled
def paint(
    stage: Any,
    work: Any,
    p: int,
    table: Any,
    lights: Any,
    depth: Any,
    shown: Any,
    shadows: bool,
    mode: int,
    share: Any,
) -> None:
    """Colour the pixels of primitive p's window that show it, in the picture, [0, 255].

    `mode` REPLACE sets, ADD adds, BLEND mixes with `share` of the new colour.
    """
    points, places, windows, width = (
        work.points,
        work.places,
        work.windows,
        shown.shape[1],
    )
    work.stamps[0] += 1
    for light in range(lights.shape[0]):
        if casts(lights, light, shadows):
            find_reaches(stage.kinds, table, p, lights, light, stage.far, work.reaches[light])
    count = 0
    for y in range(windows[p, 0], windows[p, 1]):
        for x in range(windows[p, 2], windows[p, 3]):
            if shown[y, x] != p:
                continue
            places[count] = 3 * (y * width + x)
            points[RAY_X + count], points[RAY_Y + count] = (
                stage.rays_x[x],
                stage.rays_y[y],
            )
            points[DEPTH + count] = depth[y, x]
            count += 1
            if count == CHUNK:
                shade(stage, work, p, table, lights, shadows, count)
                put(points, places, count, mode, share, work.colours)
                count = 0
    if count:
        shade(stage, work, p, table, lights, shadows, count)
        put(points, places, count, mode, share, work.colours)


@compiled
def shade(
    stage: Any, work: Any, p: int, table: Any, lights: Any, shadows: bool, count: int
) -> None:
    """Find the colours of a chunk of points on primitive p from their rays and depths."""
    points, whole, kind = work.points, work.whole, stage.kinds[p]
    n = pad(points, count)
    locate(table, p, points, n)
    find_normals(kind, table, p, points, n)
    gridded, runs = kind == PLANE and table[p, GRID] > ZERO, 0
    if gridded:
        find_keys(table, p, points, whole, n)
        runs = find_runs(whole, n)
        light_corners(
            table,
            p,
            lights,
            shadows,
            whole,
            runs,
            work.vertices,
            work.names,
            work.stamps,
            work.lit,
        )
        spread(table, p, work.lit, 0, whole, runs, points, RED)
    else:
        light_without_shadow(lights, table, p, shadows, points, n)
    bounded = False
    for light in range(lights.shape[0]):
        if not casts(lights, light, shadows):
            continue
        if gridded:
            spread(table, p, work.lit, 1 + light, whole, runs, points, PART_RED)
        else:
            light_by(lights, light, table, p, points, n)
            clip_part(points, n)
        if not bounded:
            bound_blocks(points, n, work.blocks)
            bounded = True
        find_shadows(
            stage.kinds,
            table,
            lights,
            light,
            stage.far,
            work.reaches[light],
            work.blocks,
            points,
            n,
        )
        for k in range(n):
            points[RED + k] += points[SEEN + k] * points[PART_RED + k]
            points[GREEN + k] += points[SEEN + k] * points[PART_GREEN + k]
            points[BLUE + k] += points[SEEN + k] * points[PART_BLUE + k]
    texture = stage.textures[p, 0]
    if texture < 0:
        for k in range(n):
            points[RED + k] *= WHITE
            points[GREEN + k] *= WHITE
            points[BLUE + k] *= WHITE
        return
    tint(
        kind,
        stage.textures[p, 1],
        stage.texels,
        stage.levels,
        texture,
        table,
        p,
        stage.step,
        points,
        whole,
        n,
    )


@compiled
def put(points: Any, places: Any, count: int, mode: int, share: Any, colours: Any) -> None:
    """Put a chunk's colours into the picture (H·W·3,)."""
    if mode == REPLACE:
        for k in range(count):
            at = places[k]
            colours[at] = min(points[RED + k], WHITE)
            colours[at + 1] = min(points[GREEN + k], WHITE)
            colours[at + 2] = min(points[BLUE + k], WHITE)
        return
    old, new = (ONE, ONE) if mode == ADD else (ONE - share, share)
    for k in range(count):
        for c in range(3):
            at, colour = places[k] + c, new * points[RED + c * CHUNK + k]
            colours[at] = min(old * colours[at] + colour, WHITE)
