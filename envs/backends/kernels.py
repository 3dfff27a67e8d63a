"""What surrounds every physics step, compiled: array operations would cost as much as a world."""

from __future__ import annotations

from typing import Any

import numba


@numba.njit(cache=True)
def differs(left: Any, right: Any) -> bool:
    """Whether two integer arrays of equal shape, with three axes, differ anywhere."""
    difference = 0
    for i in range(left.shape[0]):
        for j in range(left.shape[1]):
            for k in range(left.shape[2]):
                difference |= left[i, j, k] ^ right[i, j, k]
    return difference != 0


@numba.njit(cache=True)
def count_step(elapsed: Any, limit: int, terminated: Any, truncated: Any, ended: Any) -> bool:
    """Count a step in every world, shape (N,); returns whether any episode ended.

    Adds 1 to `elapsed`, and writes `truncated` (the limit is reached) and `ended` (that, or
    `terminated`).
    """
    any_ended = False
    for world in range(elapsed.shape[0]):
        elapsed[world] += 1
        truncated[world] = elapsed[world] >= limit
        ended[world] = truncated[world] or terminated[world]
        any_ended |= ended[world]
    return any_ended
