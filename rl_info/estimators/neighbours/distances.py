"""Exact distances to the k nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from rl_info.estimators.neighbours.cells import CELL, LEAST_CELLS, sort_into_cells
from rl_info.estimators.neighbours.compiling import compiled, share_out
from rl_info.estimators.neighbours.gaps import boxes_to_box, points_to_box, to_points
from rl_info.estimators.neighbours.norms import Norm, is_euclidean


def neighbour_distances(
    points: Float[np.ndarray, "N D"], k: int, norm: Norm = "max", threads: int | None = None
) -> Float64[np.ndarray, "N K"]:
    """Distances of every point from its k nearest other points, ascending.

    Exact, computed in float64 whatever the input. Memory O(N (D + k)); time O(N log N) in few
    dimensions, O(N²) in many. The result does not depend on `threads` (default: NUMBA_NUM_THREADS,
    else one per core). Raises ValueError if there are not more than k ≥ 1 points.
    """
    return _distances(points, k, points.shape[1] if is_euclidean(norm) else 0, threads)


def joint_distances(
    x: Float[np.ndarray, "N X"],
    y: Float[np.ndarray, "N Y"],
    k: int,
    norm: Norm = "max",
    threads: int | None = None,
) -> Float64[np.ndarray, "N K"]:
    """The same for pairs (x, y) whose distance is the larger of that of x and that of y."""
    points = np.hstack([x.astype(np.float64, copy=False), y.astype(np.float64, copy=False)])
    return _distances(points, k, x.shape[1] if is_euclidean(norm) else 0, threads)


def _distances(
    points: Float[np.ndarray, "N D"], k: int, split: int, threads: int | None
) -> Float64[np.ndarray, "N K"]:
    if not 1 <= k < len(points):
        raise ValueError(
            f"{k} neighbours of each of {len(points)} points: k must be at least 1 and below N"
        )
    cells = sort_into_cells(points)
    found = np.full((len(points), k), np.inf)

    def work(start: int, stop: int) -> None:
        _search(cells.blocks, cells.order, cells.low, cells.high, split, start, stop, found)

    share_out(work, cells.count, LEAST_CELLS, threads)
    return np.sqrt(found, out=found) if split > 0 else found


@compiled
def _search(
    blocks: Any,
    order: Any,
    low: Any,
    high: Any,
    split: Any,
    first: Any,
    last: Any,
    found: Any,
) -> None:
    """Fill the rows of `found` that belong to the points of cells `first` to `last`."""
    cells, samples, k = blocks.shape[0], order.shape[0], found.shape[1]
    buffer = np.empty((2, CELL))
    to_point = np.empty((2, CELL))
    to_cell = np.empty((2, cells))
    for own in range(first, last):
        base = own * CELL
        size = min(CELL, samples - base)
        reach = 0.0
        for column in range(size):
            row = order[base + column]
            _offer(blocks, own, own, column, split, buffer, found, row)
            reach = max(reach, found[row, k - 1])
        boxes_to_box(low, high, own, split, to_cell)
        near = np.flatnonzero(to_cell[0] < reach)
        near = near[np.argsort(to_cell[0][near], kind="mergesort")]
        for other in near:
            if other == own:
                continue
            points_to_box(blocks, own, low, high, other, split, to_point)
            for column in range(size):
                row = order[base + column]
                if to_point[0, column] < found[row, k - 1]:
                    _offer(blocks, other, own, column, split, buffer, found, row)


@compiled
def _offer(
    blocks: Any,
    other: Any,
    own: Any,
    column: Any,
    split: Any,
    buffer: Any,
    found: Any,
    row: Any,
) -> None:
    """Insert the points of block `other`, but not the query itself, into its k best so far."""
    last = found.shape[1] - 1
    within = to_points(blocks, other, own, column, split, found[row, last], buffer)
    if within == 0:
        return
    itself = column if other == own else -1
    for j in range(blocks.shape[2]):
        distance = buffer[0, j]
        if distance < found[row, last] and j != itself:
            slot = last
            while slot > 0 and found[row, slot - 1] > distance:
                found[row, slot] = found[row, slot - 1]
                slot -= 1
            found[row, slot] = distance
