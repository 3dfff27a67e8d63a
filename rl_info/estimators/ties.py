"""Rows that are equal to others, which a density gives with probability zero."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64


def count_tied(samples: Float[np.ndarray, "N D"]) -> int:
    """How many of the rows have an equal one; time O(N log N)."""
    tied = np.ones(len(samples), dtype=bool)
    for column in samples.T:
        # Rows can only be equal if they are in every column: few remain after the first.
        _, group, sizes = np.unique(column[tied], return_inverse=True, return_counts=True)
        remaining = np.flatnonzero(tied)
        tied[remaining[sizes[group] == 1]] = False
        if not tied.any():
            return 0
    _, sizes = np.unique(samples[tied], axis=0, return_counts=True)
    return int(sizes[sizes > 1].sum())


def copies(rows: Float[np.ndarray, "N D"]) -> Int64[np.ndarray, " N"]:
    """How many rows are equal to each row, itself included; time O(D N log N)."""
    _, place, sizes = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(sizes[place.reshape(-1)], dtype=np.int64)
