"""How much of the space a set of episodes visits."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

AXES = 2
"""Coverage is counted on the floor: the first two coordinates, or the only one."""


def visited_cells(
    positions: Float[np.ndarray, "N T1 D"], cell_size: float = 1.0
) -> Int[np.ndarray, "C A"]:
    """Distinct cells ⌊position / cell_size⌋ that the episodes enter, sorted; `cell_size` in metres.

    This is the state coverage of METRA (arXiv 2310.08887): x bins on a line, xy bins on a plane.
    """
    points = positions[..., :AXES].reshape(-1, min(positions.shape[-1], AXES))
    return np.unique(np.floor(points.astype(np.float64) / cell_size).astype(np.int64), axis=0)


def state_coverage(positions: Float[np.ndarray, "N T1 D"], cell_size: float = 1.0) -> int:
    """Number of distinct cells that the episodes enter."""
    return len(visited_cells(positions, cell_size))
