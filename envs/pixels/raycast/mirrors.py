"""What the first reflective plane or box lid mirrors."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import AXES, CENTRE, REFLECTANCE, RGB, SIZE
from envs.pixels.raycast.coverage import cover, frame
from envs.pixels.raycast.painting import ADD, paint
from envs.pixels.raycast.placing import mirror
from envs.pixels.raycast.rays import BOX, ONE, PLANE, ZERO, compiled, onto_axis
from envs.pixels.raycast.sight import OPAQUE, opacity


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
            paint(
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
