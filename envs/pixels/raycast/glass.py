"""What shines through, blended over what is behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import CENTRE, REACH
from envs.pixels.raycast.coverage import cover, frame
from envs.pixels.raycast.painting import BLEND, paint
from envs.pixels.raycast.rays import PLANE, compiled
from envs.pixels.raycast.sight import OPAQUE, opacity

FARTHEST = np.float32(1e10)


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
        paint(
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
