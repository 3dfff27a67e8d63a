"""A whole picture: placing, covering, painting; one world after the other, shares in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.glass import blend
from envs.pixels.raycast.mirrors import reflect
from envs.pixels.raycast.painting import REPLACE, paint
from envs.pixels.raycast.placing import place
from envs.pixels.raycast.rays import ONE, compiled, parallel
from envs.pixels.raycast.sight import see
from envs.pixels.raycast.sky import paint_sky
from envs.pixels.raycast.texturing import HALF


@compiled
def draw(stage: Any, pose: Any, n: int, work: Any, out: Any) -> None:
    """Draw world n into `out[n]`, of (N, H·W·3)."""
    place(stage, pose, n, work)
    see(stage, work, False)
    paint_sky(stage, pose.cam_xmat[n, stage.camera], work)
    for p in range(stage.kinds.shape[0]):
        paint(
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
    for at in range(work.colours.shape[0]):
        out[n, at] = np.uint8(np.int32(work.colours[at] + HALF))


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
