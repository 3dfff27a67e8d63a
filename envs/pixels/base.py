"""What every renderer of pixels can do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from jaxtyping import Int, UInt8


class PixelRenderer(Protocol):
    """Draws N worlds of one model through one camera, in pictures of one size."""

    height: int
    width: int
    fields: tuple[str, ...]
    """MjData fields to hand over, (N, ...); `stack_fields` collects them from plain MjData."""

    def render(
        self, data: Any, out: UInt8[np.ndarray, "N H W 3"] | None = None
    ) -> UInt8[np.ndarray, "N H W 3"]:
        """Draw N worlds, rows from the top, into `out` if given."""

    def segment(self, data: Any) -> Int[np.ndarray, "N H W"]:
        """What each pixel shows, int32: -1 the sky, else a geom's id.

        Sites follow on the geoms: their id plus the number of geoms; tendons on the sites.
        """

    def close(self) -> None:
        """Free threads or contexts."""
