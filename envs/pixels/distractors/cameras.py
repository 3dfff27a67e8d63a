"""Turning the camera that pictures are drawn through."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Float


def turn_camera(
    data: Any, fields: Sequence[str], camera: int, angles: Float[np.ndarray, "M 3"]
) -> SimpleNamespace:
    """The fields of M worlds with one camera turned about its own x (right), y (up) and z (back).

    Args:
        data: Fields (M, ...) with `cam_xmat`; not changed.
        fields: Names of those to keep.
        camera: Index of the camera, not the free one.
        angles: In radians, about one axis after the other.
    """
    kept = {name: getattr(data, name) for name in fields}
    matrices = np.array(kept["cam_xmat"])
    chosen = matrices.reshape(len(matrices), -1, 3, 3)
    chosen[:, camera] = chosen[:, camera] @ rotations(angles)
    return SimpleNamespace(**{**kept, "cam_xmat": matrices})


def rotations(angles: Float[np.ndarray, "M 3"]) -> Float[np.ndarray, "M 3 3"]:
    """Turns about x, then y, then z, by angles in radians."""
    result = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        cosine, sine = np.cos(angles[:, axis]), np.sin(angles[:, axis])
        turn = np.zeros((len(angles), 3, 3))
        turn[:, axis, axis] = 1
        turn[:, one, one] = turn[:, other, other] = cosine
        turn[:, one, other], turn[:, other, one] = -sine, sine
        result = turn @ result
    return result
