"""A whole picture: placing, covering, painting; one world after the other, shares in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import (
    ALPHA,
    AXES,
    CENTRE,
    REACH,
    REFLECTANCE,
    RGB,
    SIZE,
)
from envs.pixels.raycast.coverage import cover, frame
from envs.pixels.raycast.painting import ADD, BLEND, REPLACE, paint, paint_sky
from envs.pixels.raycast.placing import mirror, place
from envs.pixels.raycast.rays import BOX, ONE, PLANE, ZERO, compiled, onto_axis, parallel

OPAQUE = np.float32(0.995)
"""MuJoCo blends what has less alpha."""
BEHIND = np.float32(0.3)
"""A plane seen from behind keeps this share of its alpha."""
FARTHEST = np.float32(1e10)
WHITE = np.float32(255)
HALF = np.float32(0.5)
"""Rounds."""


@compiled
def is_behind(table: Any, p: int) -> bool:
    """Whether the camera sees the back of plane p."""
    return (
        onto_axis(table, p, 2, table[p, CENTRE], table[p, CENTRE + 1], table[p, CENTRE + 2]) > ZERO
    )


@compiled
def opacity(kinds: Any, table: Any, p: int) -> Any:
    """Alpha of primitive p, less of a plane from behind."""
    alpha = table[p, ALPHA]
    return alpha * BEHIND if kinds[p] == PLANE and is_behind(table, p) else alpha


@compiled
def see(stage: Any, work: Any, everything: bool) -> None:
    """Fill the depth buffer with what is opaque, or with everything."""
    work.depth[:, :] = stage.far
    work.shown[:, :] = -1
    for p in range(stage.kinds.shape[0]):
        kind = stage.kinds[p]
        frame(
            kind,
            work.table,
            p,
            stage.rays_x,
            stage.rays_y,
            stage.near,
            work.bounds,
            work.windows,
        )
        if everything or opacity(stage.kinds, work.table, p) >= OPAQUE:
            cover(
                kind,
                work.table,
                p,
                work.windows,
                stage.rays_x,
                stage.rays_y,
                stage.near,
                work.depth,
                work.shown,
            )


@compiled
def paint_one(
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
    """Paint primitive p; see `paint`."""
    paint(
        p,
        stage.kinds,
        stage.textures,
        table,
        lights,
        stage.texels,
        stage.levels,
        stage.rays_x,
        stage.rays_y,
        stage.step,
        stage.far,
        work.windows,
        depth,
        shown,
        shadows,
        mode,
        share,
        work.tags,
        work.lit,
        work.colours,
    )


@compiled
def reflect(stage: Any, work: Any) -> None:
    """Add to the first reflective plane or box lid what it mirrors, as OpenGL does: solids only."""
    kinds, table, mirrored = stage.kinds, work.table, work.mirrored_table
    glass = -1
    for p in range(kinds.shape[0]):
        flat = kinds[p] == PLANE or kinds[p] == BOX
        if flat and table[p, REFLECTANCE] > ZERO and opacity(kinds, table, p) >= OPAQUE:
            glass = p
            break
    if glass < 0:
        return
    lift = table[glass, SIZE + 2] if kinds[glass] == BOX else ZERO
    cx = table[glass, CENTRE] + lift * table[glass, AXES + 6]
    cy = table[glass, CENTRE + 1] + lift * table[glass, AXES + 7]
    cz = table[glass, CENTRE + 2] + lift * table[glass, AXES + 8]
    height = onto_axis(table, glass, 2, cx, cy, cz)
    if height > ZERO:
        return
    for y in range(work.depth.shape[0]):
        for x in range(work.depth.shape[1]):
            seen, t = work.shown[y, x] == glass, work.depth[y, x]
            if seen and kinds[glass] == BOX:
                # Only the lid mirrors.
                dx, dy = stage.rays_x[x], stage.rays_y[y]
                above = onto_axis(table, glass, 2, t * dx, t * dy, -t) - height
                seen = abs(above) < lift * np.float32(1e-3)
            work.other_depth[y, x] = stage.far if seen else ZERO
            work.other_shown[y, x] = -1
    mirror(work, glass, cx, cy, cz)
    strength = table[glass, REFLECTANCE]
    for p in range(kinds.shape[0]):
        if p == glass or opacity(kinds, table, p) < OPAQUE:
            continue
        for c in range(3):
            mirrored[p, RGB + c] = strength * table[p, RGB + c]
        frame(
            kinds[p],
            mirrored,
            p,
            stage.rays_x,
            stage.rays_y,
            stage.near,
            work.bounds,
            work.windows,
        )
        cover(
            kinds[p],
            mirrored,
            p,
            work.windows,
            stage.rays_x,
            stage.rays_y,
            stage.near,
            work.other_depth,
            work.other_shown,
        )
    for p in range(kinds.shape[0]):
        if p != glass and opacity(kinds, table, p) >= OPAQUE:
            paint_one(
                stage,
                work,
                p,
                mirrored,
                work.mirrored_lights,
                work.other_depth,
                work.other_shown,
                False,
                ADD,
                ONE,
            )


@compiled
def blend(stage: Any, work: Any) -> None:
    """Paint what shines through, from near to far and back again, as MuJoCo does."""
    kinds, table, order = stage.kinds, work.table, work.order
    count = 0
    for p in range(kinds.shape[0]):
        if opacity(kinds, table, p) >= OPAQUE:
            continue
        x, y, z = table[p, CENTRE], table[p, CENTRE + 1], table[p, CENTRE + 2]
        distance = np.sqrt(x * x + y * y + z * z) - table[p, REACH]
        distance = FARTHEST if kinds[p] == PLANE else distance
        at = count
        while at > 0 and order[at - 1, 1] > distance:
            order[at, 0], order[at, 1] = order[at - 1, 0], order[at - 1, 1]
            at -= 1
        order[at, 0], order[at, 1] = np.float32(p), distance
        count += 1
    for turn in range(2 * count):
        p = int(order[turn if turn < count else 2 * count - 1 - turn, 0])
        frame(
            kinds[p],
            table,
            p,
            stage.rays_x,
            stage.rays_y,
            stage.near,
            work.bounds,
            work.windows,
        )
        work.other_depth[:, :] = work.depth
        work.other_shown[:, :] = -1
        cover(
            kinds[p],
            table,
            p,
            work.windows,
            stage.rays_x,
            stage.rays_y,
            stage.near,
            work.other_depth,
            work.other_shown,
        )
        alpha = opacity(kinds, table, p)
        paint_one(
            stage,
            work,
            p,
            table,
            work.lights,
            work.other_depth,
            work.other_shown,
            False,
            BLEND,
            alpha,
        )


@compiled
def draw(stage: Any, pose: Any, n: int, work: Any, out: Any) -> None:
    """Draw world n into `out[n]`, of (N, H, W, 3)."""
    place(stage, pose, n, work)
    see(stage, work, False)
    camera = pose.cam_xmat[n, stage.camera]
    paint_sky(
        stage.sky, stage.sky_edge, camera, stage.rays_x, stage.rays_y, work.shown, work.colours
    )
    for p in range(stage.kinds.shape[0]):
        paint_one(
            stage,
            work,
            p,
            work.table,
            work.lights,
            work.depth,
            work.shown,
            stage.shadows,
            REPLACE,
            ONE,
        )
    if stage.reflections:
        reflect(stage, work)
    blend(stage, work)
    colours = work.colours
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            for c in range(3):
                out[n, y, x, c] = np.uint8(colours[y, x, c] + HALF)


@parallel
def draw_share(stage: Any, pose: Any, work: Any, first: int, end: int, out: Any) -> None:
    """Draw worlds `first` to `end` - 1."""
    for n in range(first, end):
        draw(stage, pose, n, work, out)


@parallel
def segment_share(
    stage: Any, pose: Any, work: Any, first: int, end: int, masks: Any, depths: Any
) -> None:
    """Write what worlds `first` to `end` - 1 show, and how far it is, into (N, H, W) arrays."""
    for n in range(first, end):
        place(stage, pose, n, work)
        see(stage, work, True)
        for y in range(masks.shape[1]):
            for x in range(masks.shape[2]):
                p = work.shown[y, x]
                masks[n, y, x] = stage.labels[p] if p >= 0 else -1
                depths[n, y, x] = work.depth[y, x] if p >= 0 else np.inf
