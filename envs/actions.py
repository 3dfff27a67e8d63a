"""Checking a batch of actions before anything moves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

FLOATS = frozenset(map(np.dtype, (np.float16, np.float32, np.float64)))
"""In this machine's byte order: compiled rewards know no other floats."""


def check_actions(
    action: Any, num_envs: int, size: int, low: np.ndarray, high: np.ndarray
) -> Float[np.ndarray, "N A"]:
    """Return `action` as an array of floats, shape (N, A), or say which world's action is wrong.

    Args:
        action: array of shape (N, A), or N actions of shape (A,); float16, float32 or float64.
        num_envs: N.
        size: A.
        low: lowest sensible action, shape (A,), for the message only: bounds are not enforced.
        high: highest sensible action, shape (A,).

    Raises:
        ValueError: naming the first world whose action is missing, misshapen, not of these dtypes
            or not finite.
    """
    array = action if isinstance(action, np.ndarray) else _stack(action, num_envs, size)
    if array.dtype not in FLOATS:
        raise ValueError(
            f"action of world 0 has dtype {array.dtype}: actions must be "
            f"native float16, float32 or float64 of shape ({num_envs}, {size})"
        )
    if array.shape != (num_envs, size):
        raise ValueError(_describe_shape(array.shape, num_envs, size))
    # One dot product tells, at half the price of a mask, unless it overflows.
    if not math.isfinite(np.vdot(array, array)) and not (finite := np.isfinite(array)).all():
        world, index = np.argwhere(~finite)[0]
        raise ValueError(
            f"action of world {world} is not finite: component {index} is {array[world, index]}; "
            f"its range is [{low[index]}, {high[index]}]. No world was stepped"
        )
    return array


def _stack(action: Any, num_envs: int, size: int) -> np.ndarray:
    """Rows of a list, or any other array type, as one array."""
    if not isinstance(action, list | tuple):
        return np.asarray(action)
    rows = [_read_row(world, row, size) for world, row in enumerate(action)]
    if len(rows) != num_envs:
        raise ValueError(_describe_shape((len(rows), size), num_envs, size))
    return np.stack(rows)


def _read_row(world: int, row: Any, size: int) -> np.ndarray:
    """The action of one world as an array of numbers of shape (A,)."""
    try:
        array = np.asarray(row)
    except ValueError as error:
        raise ValueError(f"action of world {world} is ragged, expected ({size},)") from error
    if array.shape != (size,):
        raise ValueError(
            f"action of world {world} has shape {array.shape}, expected ({size},). "
            "No world was stepped"
        )
    if array.dtype.kind not in "fiu":
        raise ValueError(f"action of world {world} has dtype {array.dtype}: use floats")
    return array


def _describe_shape(shape: tuple[int, ...], num_envs: int, size: int) -> str:
    expected = f"expected ({num_envs}, {size}): {num_envs} worlds, {size} values each"
    if len(shape) == 2 and shape[1] == size and shape[0] < num_envs:
        return f"world {shape[0]} has no action: got shape {shape}, {expected}"
    if len(shape) == 2 and shape[1] == size:
        return f"world {num_envs} does not exist: got actions of shape {shape}, {expected}"
    return f"action of world 0 has the wrong shape: got {shape}, {expected}"
