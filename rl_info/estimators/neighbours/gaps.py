"""Distances from points and boxes to many others; squared if Euclidean.

`split` names the norm: 0 is the max-norm, D the Euclidean norm of all D dimensions, and anything
between the larger of the Euclidean norms of the first `split` dimensions and of the rest.
Results come in the first row of `out`; the second is space to work in.
Blocks are passed whole with a number each: a view would be counted by atomic operations, for which
the threads would queue.
"""

from __future__ import annotations

from typing import Any

from rl_info.estimators.neighbours.compiling import compiled

_LOOK_EVERY = 8
"""Dimensions after which a search looks whether it can give up."""


@compiled
def to_points(
    blocks: Any, other: Any, own: Any, column: Any, split: Any, limit: Any, out: Any
) -> int:
    """Distances of block `other` from one point of block `own`; how many are below `limit`.

    Gives up and returns 0 once the dimensions taken so far show that none will be.
    """
    dims = blocks.shape[1]
    if split == 0:
        return _largest_gaps(blocks, other, own, column, limit, out)
    within = _squared_gaps(blocks, other, own, column, 0, split, limit, out, 0)
    if within == 0 or split == dims:
        return within
    if _squared_gaps(blocks, other, own, column, split, dims, limit, out, 1) == 0:
        return 0
    _take_larger(out, blocks.shape[2])
    return _count_below(out, 0, limit, blocks.shape[2])


@compiled
def _largest_gaps(blocks: Any, other: Any, own: Any, column: Any, limit: Any, out: Any) -> int:
    _, dims, width = blocks.shape
    within = 0
    for j in range(width):
        out[0, j] = 0.0
    for d in range(0, dims, 2):
        # Two dimensions in one pass halve the traffic with `out`; an odd last one comes twice.
        e = min(d + 1, dims - 1)
        first, second = blocks[own, d, column], blocks[own, e, column]
        for j in range(width):
            gap, also = abs(blocks[other, d, j] - first), abs(blocks[other, e, j] - second)
            gap = also if also > gap else gap
            out[0, j] = out[0, j] if out[0, j] > gap else gap
        if (d + 2) % _LOOK_EVERY == 0 or e == dims - 1:
            within = _count_below(out, 0, limit, width)
            if within == 0:
                break
    return within


@compiled
def _squared_gaps(
    blocks: Any,
    other: Any,
    own: Any,
    column: Any,
    begin: Any,
    end: Any,
    limit: Any,
    out: Any,
    row: Any,
) -> int:
    width = blocks.shape[2]
    within = 0
    for j in range(width):
        out[row, j] = 0.0
    for d in range(begin, end):
        centre = blocks[own, d, column]
        for j in range(width):
            gap = blocks[other, d, j] - centre
            out[row, j] += gap * gap
        if (d + 1 - begin) % _LOOK_EVERY == 0 or d == end - 1:
            within = _count_below(out, row, limit, width)
            if within == 0:
                break
    return within


@compiled
def boxes_to_box(low: Any, high: Any, box: Any, split: Any, out: Any) -> None:
    """Least distances of all boxes from one of them."""
    dims, width = low.shape
    out[:, :width] = 0.0
    for d in range(dims):
        row = 1 if 0 < split <= d else 0
        bottom, top = low[d, box], high[d, box]
        for j in range(width):
            gap = max(low[d, j] - top, bottom - high[d, j])
            out[row, j] = _widen(out[row, j], gap, split)
    _take_larger(out, width)


@compiled
def points_to_box(
    blocks: Any, own: Any, low: Any, high: Any, box: Any, split: Any, out: Any
) -> None:
    """Least distances of the points of block `own` from a box.

    Rounds as `to_points` does, so that no point of a box is computed nearer than the box.
    """
    _, dims, width = blocks.shape
    out[:, :width] = 0.0
    for d in range(dims):
        row = 1 if 0 < split <= d else 0
        bottom, top = low[d, box], high[d, box]
        for j in range(width):
            gap = max(blocks[own, d, j] - top, bottom - blocks[own, d, j])
            out[row, j] = _widen(out[row, j], gap, split)
    _take_larger(out, width)


@compiled
def _widen(total: Any, gap: Any, split: Any) -> float:
    """A least distance and what one more dimension adds; a negative gap adds nothing."""
    gap = gap if gap > 0.0 else 0.0
    if split > 0:
        return total + gap * gap
    return gap if gap > total else total


@compiled
def _take_larger(out: Any, width: Any) -> None:
    for j in range(width):
        out[0, j] = out[0, j] if out[0, j] > out[1, j] else out[1, j]


@compiled
def _count_below(out: Any, row: Any, limit: Any, width: Any) -> int:
    within = 0
    for j in range(width):
        within += out[row, j] < limit
    return within
