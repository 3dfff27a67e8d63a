"""Putting films behind agents, and changing colours, in place."""

from __future__ import annotations

from typing import Any

import mujoco
import numba
import numpy as np
from jaxtyping import Bool, Float, UInt8


def background_table(model: mujoco.MjModel, floor: bool) -> Bool[np.ndarray, "L"]:
    """Whether what a mask calls k is background, at k + 1; the sky always is.

    Args:
        model: What is drawn.
        floor: Whether planes fixed to the world are background. All else that is fixed to the
            world is not: a rail, a table or a target is part of the task.
    """
    table = np.zeros(1 + model.ngeom + model.nsite + model.ntendon, dtype=bool)
    table[0] = True
    if floor:
        planes = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        fixed = model.body_weldid[model.geom_bodyid] == 0
        table[1 : 1 + model.ngeom] = planes & fixed
    return table


@numba.njit(cache=True, nogil=True)
def put_behind(
    frames: Any, masks: Any, background: Any, films: Any, shown: Any, top: int, left: int
) -> None:
    """Write `films[shown[n]]` over the background of `frames[n]` in a window at (top, left).

    Args:
        frames: uint8 (N, H, W, 3), changed.
        masks: int32 (N, H, W); see `PixelRenderer.segment`.
        background: bool (L,); see `background_table`.
        films: uint8 (F, h, w, 3).
        shown: int64 (N,).
        top: First row of the window.
        left: First column of the window.
    """
    for n in range(frames.shape[0]):
        film = films[shown[n]]
        for y in range(film.shape[0]):
            for x in range(film.shape[1]):
                if background[masks[n, top + y, left + x] + 1]:
                    for c in range(3):
                        frames[n, top + y, left + x, c] = film[y, x, c]


@numba.njit(cache=True, nogil=True)
def recolour(frames: Any, tables: Any) -> None:
    """Replace value v of channel c in `frames[n]`, uint8 (N, H, W, 3), by `tables[n, c, v]`."""
    for n in range(frames.shape[0]):
        for y in range(frames.shape[1]):
            for x in range(frames.shape[2]):
                for c in range(3):
                    frames[n, y, x, c] = tables[n, c, frames[n, y, x, c]]


def colour_tables(draws: Float[np.ndarray, "N 2 3"], jitter: float) -> UInt8[np.ndarray, "N 3 256"]:
    """New values of all values: contrast times 1 ± `jitter`, brightness ± half of it.

    Args:
        draws: Of contrast and brightness in [-1, 1), for each channel.
        jitter: Largest change.
    """
    gain, shift = 1 + jitter * draws[:, 0], 0.5 * jitter * draws[:, 1] * 255
    values = gain[..., None] * np.arange(256) + shift[..., None]
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
