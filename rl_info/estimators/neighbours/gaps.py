"""Distances from points and boxes to many others; squared if Euclidean.

Blocks are passed whole with a number each: a view would be counted by atomic operations, for which
the threads would queue.
"""

from __future__ import annotations

from typing import Any

from rl_info.estimators.neighbours.compiling import compiled


@compiled
def to_points(
    blocks: Any, other: Any, own: Any, column: Any, euclidean: Any, limit: Any, out: Any
) -> int:
    """Distances of block `other` from one point of block `own`; how many are below `limit`.

    Gives up and returns 0 once the dimensions taken so far show that none will be.
    """
    _, dims, width = blocks.shape
    within = 0
    for j in range(width):
        out[j] = 0.0
    for d in range(0, dims, 2):
        # Two dimensions in one pass halve the traffic with `out`; an odd last one goes alone.
        e = min(d + 1, dims - 1)
        first, second = blocks[own, d, column], blocks[own, e, column]
        if not euclidean:
            for j in range(width):
                gap, also = abs(blocks[other, d, j] - first), abs(blocks[other, e, j] - second)
                gap = also if also > gap else gap
                out[j] = out[j] if out[j] > gap else gap
        elif e > d:
            for j in range(width):
                gap, also = blocks[other, d, j] - first, blocks[other, e, j] - second
                out[j] = (out[j] + gap * gap) + also * also
        else:
            for j in range(width):
                gap = blocks[other, d, j] - first
                out[j] += gap * gap
        if e % 8 == 7 or e == dims - 1:
            within = 0
            for j in range(width):
                within += out[j] < limit
            if within == 0:
                break
    return within


@compiled
def boxes_to_box(low: Any, high: Any, box: Any, euclidean: Any, out: Any) -> None:
    """Least distances of all boxes from one of them."""
    dims, width = low.shape
    for j in range(width):
        out[j] = 0.0
    for d in range(dims):
        bottom, top = low[d, box], high[d, box]
        for j in range(width):
            gap = max(low[d, j] - top, bottom - high[d, j])
            out[j] = _widen(out[j], gap, euclidean)


@compiled
def points_to_box(
    blocks: Any, own: Any, low: Any, high: Any, box: Any, euclidean: Any, out: Any
) -> None:
    """Least distances of the points of block `own` from a box.

    Rounds as `to_points` does, so that no point of a box is computed nearer than the box.
    """
    _, dims, width = blocks.shape
    for j in range(width):
        out[j] = 0.0
    for d in range(dims):
        bottom, top = low[d, box], high[d, box]
        for j in range(width):
            gap = max(blocks[own, d, j] - top, bottom - blocks[own, d, j])
            out[j] = _widen(out[j], gap, euclidean)


@compiled
def _widen(total: Any, gap: Any, euclidean: Any) -> float:
    """A least distance and what one more dimension adds; a negative gap adds nothing."""
    gap = gap if gap > 0.0 else 0.0
    if euclidean:
        return total + gap * gap
    return gap if gap > total else total
