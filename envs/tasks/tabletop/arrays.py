"""Small array functions for numpy and torch alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array


def namespace(array: Array) -> Any:
    """The functions for `array`; numpy's need no looking up, which every step would pay for."""
    return np if isinstance(array, np.ndarray) else array_namespace(array)


def like(constant: np.ndarray, array: Array) -> Array:
    """`constant` in the kind, dtype and place of `array`."""
    if isinstance(array, np.ndarray):
        return constant
    return array_namespace(array).asarray(constant, dtype=array.dtype, device=array.device)


def norm(vectors: Array) -> Array:
    """Euclidean lengths along the last axis."""
    xp = namespace(vectors)
    return xp.sqrt(xp.vecdot(vectors, vectors))


def nearness(distance: Array) -> Array:
    """1 at distance 0, 0.54 at 0.1 m, 0.1 at 0.3 m: 1 − tanh(5 d)."""
    return 1.0 - namespace(distance).tanh(5.0 * distance)


def rotation_axes(quaternions: Array) -> Array:
    """The x and y axes, (N, K, 6), of the frames that unit quaternions (N, K, 4) turn to.

    Six numbers that are continuous in the rotation, which four cannot be.
    """
    xp = namespace(quaternions)
    w, x, y, z = (quaternions[..., index] for index in range(4))
    double_x, double_y, double_z = x + x, y + y, z + z
    xy, wz = double_x * y, double_z * w
    zz = double_z * z
    return xp.stack(
        (
            1.0 - double_y * y - zz,
            xy + wz,
            double_z * x - double_y * w,
            xy - wz,
            1.0 - double_x * x - zz,
            double_z * y + double_x * w,
        ),
        axis=-1,
    )
