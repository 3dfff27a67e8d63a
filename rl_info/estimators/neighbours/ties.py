"""What equal samples do to neighbour distances, and the warnings of them."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float

from rl_info.estimators.inputs import TiedSamplesWarning

_TOLERATED = 0.01
"""Share of tied samples of x or y alone, as float32 makes them, that goes without a warning."""


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


def warn_of_ties(x: Float[np.ndarray, "N X"], y: Float[np.ndarray, "N Y"]) -> None:
    """Warn of equal pairs (x, y), and of equal samples of x or y if more than 1% are.

    A density gives none. Nothing is done about them: noise would make an estimate of something
    else.
    """
    pairs = count_tied(np.hstack([x, y]))
    if pairs:
        _warn(pairs, "pairs (x, y)")
    for name, samples in (("x", x), ("y", y)):
        tied = count_tied(samples)
        if tied > _TOLERATED * len(samples) and tied > pairs:
            _warn(tied, f"samples of {name}")


def _warn(tied: int, what: str) -> None:
    warnings.warn(
        f"{tied} {what} are equal to others, which samples of a density are not: distances between "
        "neighbours say little. Remove repeated rows, or add noise knowingly",
        TiedSamplesWarning,
        stacklevel=4,
    )
