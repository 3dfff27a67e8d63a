"""The latest pictures of N worlds."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8


class FrameStack:
    """The latest K pictures of N worlds, the newest last, channels before rows.

    Args:
        num_worlds: N.
        depth: K.
        height: Of a picture, pixels.
        width: Of a picture, pixels.
    """

    def __init__(self, num_worlds: int, depth: int, height: int, width: int) -> None:
        self.pictures: UInt8[np.ndarray, "N K 3 H W"] = np.zeros(
            (num_worlds, depth, 3, height, width), np.uint8
        )

    def push(self, frames: UInt8[np.ndarray, "N H W 3"]) -> None:
        """Drop the oldest picture of every world for a new one."""
        self.pictures[:, :-1] = self.pictures[:, 1:]
        self.pictures[:, -1] = frames.transpose(0, 3, 1, 2)

    def begin(self, worlds: Bool[np.ndarray, "N"], frames: UInt8[np.ndarray, "N H W 3"]) -> None:
        """Fill the stacks of some worlds with an episode's first picture."""
        self.pictures[worlds] = frames[worlds].transpose(0, 3, 1, 2)[:, None]

    def observe(self) -> UInt8[np.ndarray, "N C H W"]:
        """A copy, with C = 3·K channels."""
        count, _, _, height, width = self.pictures.shape
        return self.pictures.copy().reshape(count, -1, height, width)
