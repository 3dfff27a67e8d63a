"""Norms in which neighbours are looked for."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float64

Norm = Literal["max", "euclidean"]
"""Greatest absolute coordinate, or root of the sum of squares."""


def is_euclidean(norm: str) -> bool:
    """Whether distances are Euclidean; raises ValueError for a norm that is none of `Norm`."""
    if norm not in ("max", "euclidean"):
        raise ValueError(f"norm must be 'max' or 'euclidean', got {norm!r}")
    return norm == "euclidean"


def squared_limits(radii: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, " N"]:
    """Least squares whose rounded roots reach the radii.

    A squared distance is below them exactly if its root is below the radius, which r² itself does
    not give: the root of the k-th squared distance, squared again, may exceed it.
    """
    limits = np.square(radii)
    while (low := np.sqrt(limits) < radii).any():
        limits[low] = np.nextafter(limits[low], np.inf)
    while True:
        below = np.nextafter(limits, 0.0)
        high = (below < limits) & (np.sqrt(below) >= radii)
        if not high.any():
            return limits
        limits[high] = below[high]
