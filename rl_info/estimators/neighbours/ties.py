"""What equal samples of one variable do to neighbour distances, and the warning of them."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float

from rl_info.estimators.inputs import TiedSamplesWarning
from rl_info.estimators.ties import count_tied

_TOLERATED = 0.01
"""Share of tied samples of x or y alone, as float32 makes them, that goes without a warning."""


def warn_of_ties(x: Float[np.ndarray, "N X"], y: Float[np.ndarray, "N Y"]) -> None:
    """Warn of equal samples of x or y if more than 1% are; `check_pair` warns of equal pairs.

    A density gives none. Nothing is done about them: noise would make an estimate of something
    else.
    """
    pairs = count_tied(np.hstack([x, y]))
    for name, samples in (("x", x), ("y", y)):
        tied = count_tied(samples)
        if tied > _TOLERATED * len(samples) and tied > pairs:
            warnings.warn(
                f"{tied} samples of {name} are equal to others, which samples of a density are "
                "not: distances between neighbours say little. Use mixed_ksg, which takes values "
                "that repeat, or remove repeated rows",
                TiedSamplesWarning,
                stacklevel=3,
            )
