"""Exact numbers of neighbours within a radius of each point."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64

from rl_info.estimators.neighbours.cells import CELL, LEAST_CELLS, sort_into_cells
from rl_info.estimators.neighbours.compiling import compiled, share_out
from rl_info.estimators.neighbours.gaps import boxes_to_box, points_to_box, to_points
from rl_info.estimators.neighbours.norms import Norm, is_euclidean, squared_limits


def range_counts(
    points: Float[np.ndarray, "N D"],
    radii: Float64[np.ndarray, " R"],
    norm: Norm = "max",
    threads: int | None = None,
) -> Int64[np.ndarray, " N"]:
    """How many other points lie strictly nearer to each point than its radius.

    Exact, computed in float64 whatever the input. Memory O(N D). The result does not depend on
    `threads` (default: NUMBA_NUM_THREADS, else one per core). Raises ValueError if there is not one
    radius ≥ 0 for each point, or for an unknown norm.
    """
    if len(radii) != len(points):
        raise ValueError(f"{len(radii)} radii for {len(points)} points: give one for each")
    if not (radii >= 0).all():
        raise ValueError("a radius is negative or not a number")
    split = points.shape[1] if is_euclidean(norm) else 0
    counts = np.zeros(len(points), dtype=np.int64)
    if points.shape[1] == 1:
        values = points[:, 0].astype(np.float64)
        order = np.argsort(values, kind="stable")
        ordered = values[order]

        def work(start: int, stop: int) -> None:
            _count_sorted(ordered, order, radii, start, stop, counts)

        share_out(work, len(order), LEAST_CELLS * CELL, threads)
        return counts
    cells = sort_into_cells(points)
    limits = squared_limits(radii) if split else radii

    def search(start: int, stop: int) -> None:
        _count(cells.blocks, cells.order, cells.low, cells.high, limits, split, start, stop, counts)

    share_out(search, cells.count, LEAST_CELLS, threads)
    return counts


@compiled
def _count(
    blocks: Any,
    order: Any,
    low: Any,
    high: Any,
    limits: Any,
    split: Any,
    first: Any,
    last: Any,
    counts: Any,
) -> None:
    """Fill the entries of `counts` that belong to the points of cells `first` to `last`."""
    cells, samples = blocks.shape[0], order.shape[0]
    buffer = np.empty((2, CELL))
    to_point = np.empty((2, CELL))
    to_cell = np.empty((2, cells))
    for own in range(first, last):
        base = own * CELL
        size = min(CELL, samples - base)
        reach = 0.0
        for column in range(size):
            row = order[base + column]
            reach = max(reach, limits[row])
            # A point is no neighbour of itself, and within every radius but none.
            counts[row] = -1 if limits[row] > 0.0 else 0
        boxes_to_box(low, high, own, split, to_cell)
        for other in range(cells):
            if not to_cell[0, other] < reach:
                continue
            points_to_box(blocks, own, low, high, other, split, to_point)
            for column in range(size):
                row = order[base + column]
                limit = limits[row]
                if not to_point[0, column] < limit:
                    continue
                if _reach(blocks, own, column, low, high, other, split) < limit:
                    counts[row] += min(CELL, samples - other * CELL)
                else:
                    counts[row] += to_points(blocks, other, own, column, split, limit, buffer)


@compiled
def _reach(blocks: Any, own: Any, column: Any, low: Any, high: Any, box: Any, split: Any) -> float:
    """Distance of the farthest corner of a box, rounded as `to_points` rounds."""
    farthest = 0.0
    for d in range(blocks.shape[1]):
        gap = max(blocks[own, d, column] - low[d, box], high[d, box] - blocks[own, d, column])
        farthest = farthest + gap * gap if split > 0 else max(farthest, gap)
    return farthest


@compiled
def _count_sorted(ordered: Any, order: Any, radii: Any, first: Any, last: Any, counts: Any) -> None:
    """One dimension: bisect to both sides for the first point that is too far."""
    samples = ordered.shape[0]
    for query in range(first, last):
        centre, radius = ordered[query], radii[order[query]]
        inside, outside = query, samples
        while outside - inside > 1:
            middle = (inside + outside) // 2
            if ordered[middle] - centre < radius:
                inside = middle
            else:
                outside = middle
        right = inside - query
        inside, outside = query, -1
        while inside - outside > 1:
            middle = (inside + outside) // 2
            if centre - ordered[middle] < radius:
                inside = middle
            else:
                outside = middle
        counts[order[query]] = right + query - inside
