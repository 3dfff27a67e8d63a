"""What the camera sees of a scene: what is opaque, and the nearest of it at every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.columns import ALPHA, CENTRE
from envs.pixels.raycast.coverage import cover, frame
from envs.pixels.raycast.rays import PLANE, ZERO, compiled, onto_axis

OPAQUE = np.float32(0.995)
"""MuJoCo blends what has less alpha."""
BEHIND = np.float32(0.3)
"""A plane seen from behind keeps this share of its alpha."""


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
