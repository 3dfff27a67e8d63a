"""The derived MuJoCo fields that a picture depends on."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np

POSE_FIELDS = (
    "geom_xpos",
    "geom_xmat",
    "site_xpos",
    "site_xmat",
    "cam_xpos",
    "cam_xmat",
    "light_xpos",
    "light_xdir",
)
"""Where geoms, sites, cameras and lights are."""


def stack_fields(data: Sequence[mujoco.MjData], names: Sequence[str]) -> SimpleNamespace:
    """Fields of N simulations as (N, ...) arrays, as the native worlds expose them."""
    columns: dict[str, Any] = {
        name: np.stack([np.array(getattr(one, name)) for one in data]) for name in names
    }
    return SimpleNamespace(**columns)
