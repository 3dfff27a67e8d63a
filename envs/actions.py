"""Checking a batch of actions before anything moves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float


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
        ValueError: naming the first world whose action is missing, misshapen, not floating point
            or not finite.
    """
    array = action if isinstance(action, np.ndarray) else _stack(action, num_envs, size)
    if array.dtype.kind != "f":
        raise ValueError(
            f"action of world 0 has dtype {array.dtype}: actions must be floats of shape "
            f"({num_envs}, {size})"
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
    rows = [np.asarray(row) for row in action]
    for world, row in enumerate(rows):
        if row.shape != (size,):
            raise ValueError(
                f"action of world {world} has shape {row.shape}, expected ({size},). "
                "No world was stepped"
            )
    if len(rows) != num_envs:
        raise ValueError(_describe_shape((len(rows), size), num_envs, size))
    return np.stack(rows)


def _describe_shape(shape: tuple[int, ...], num_envs: int, size: int) -> str:
    expected = f"expected ({num_envs}, {size}): {num_envs} worlds, {size} values each"
    if len(shape) == 2 and shape[1] == size and shape[0] < num_envs:
        return f"world {shape[0]} has no action: got shape {shape}, {expected}"
    if len(shape) == 2 and shape[1] == size:
        return f"world {num_envs} does not exist: got actions of shape {shape}, {expected}"
    return f"action of world 0 has the wrong shape: got {shape}, {expected}"
