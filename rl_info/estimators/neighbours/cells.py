"""Points sorted into the leaves of a k-d tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64

from rl_info.estimators.neighbours.compiling import compiled

CELL = 64
"""Points in a cell: enough for vector instructions, few enough to skip many cells."""
LEAST_CELLS = 8
"""Fewest cells that are worth a thread's attention."""


@dataclass(frozen=True)
class Cells:
    """N points in C cells of `CELL` points each; the last is filled up with points at infinity.

    A cell whose box lies beyond a radius is skipped whole; where dimensions are many and nothing
    can be skipped, the search is brute force in blocks that fit the cache.
    """

    blocks: Float64[np.ndarray, "C D W"]
    """Coordinates, those of a cell side by side for each dimension."""
    order: Int64[np.ndarray, " N"]
    """Which row of the input stands in column w of cell c: entry c·W + w."""
    low: Float64[np.ndarray, "D C"]
    """Least coordinates in each cell."""
    high: Float64[np.ndarray, "D C"]
    """Greatest coordinates in each cell."""

    @property
    def count(self) -> int:
        """Number of cells C."""
        return len(self.blocks)


def sort_into_cells(points: Float[np.ndarray, "N D"]) -> Cells:
    """Halve the widest side of the box around the points again and again; time O(D N log N)."""
    values = np.ascontiguousarray(points, dtype=np.float64)
    samples, dims = values.shape
    cells = -(-samples // CELL)
    order = np.arange(samples)
    _halve(values, order, cells)
    starts = np.arange(cells) * CELL
    ordered = values[order]
    low = np.minimum.reduceat(ordered, starts).T.copy()
    high = np.maximum.reduceat(ordered, starts).T.copy()
    filled = np.full((cells * CELL, dims), np.inf)
    filled[:samples] = ordered
    blocks = filled.reshape(cells, CELL, dims).transpose(0, 2, 1).copy()
    return Cells(blocks, order, low, high)


@compiled
def _halve(points: Any, order: Any, cells: Any) -> None:
    """Permute `order` so that every node of the tree holds a contiguous part of it."""
    samples, dims = points.shape
    # One node waits on every level of the tree, and 64 levels are more than any memory holds.
    waiting = np.empty((64, 2), np.int64)
    waiting[0] = 0, cells
    depth = 1
    while depth > 0:
        depth -= 1
        first, last = waiting[depth]
        if last - first < 2:
            continue
        start, stop = first * CELL, min(last * CELL, samples)
        widest, axis = -1.0, 0
        for d in range(dims):
            low = high = points[order[start], d]
            for i in range(start + 1, stop):
                value = points[order[i], d]
                low, high = min(low, value), max(high, value)
            if high - low > widest:
                widest, axis = high - low, d
        middle = (first + last) // 2
        _select(points, order, axis, start, stop, middle * CELL)
        waiting[depth] = first, middle
        waiting[depth + 1] = middle, last
        depth += 2


@compiled
def _select(points: Any, order: Any, axis: Any, start: Any, stop: Any, middle: Any) -> None:
    """Quickselect: nothing before `middle` exceeds anything from it on, along `axis`."""
    left, right = start, stop - 1
    while left < right:
        a = points[order[left], axis]
        b = points[order[(left + right) // 2], axis]
        c = points[order[right], axis]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while points[order[i], axis] < pivot:
                i += 1
            while points[order[j], axis] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            right = j
        elif middle >= i:
            left = i
        else:
            return
