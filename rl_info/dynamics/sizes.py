"""Sizes of world models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class WorldModelSize:
    """Widths of every part of a world model.

    Raises ValueError for a width below 1 or a deterministic state that blocks do not divide.
    """

    deter: int
    """Width of the deterministic state."""
    hidden: int
    """Width of the layers around it."""
    stoch: int
    """Number of categorical variables in the stochastic state."""
    classes: int
    """Classes of each of them."""
    depth: int
    """Channels of convolutions are multiples of it."""
    units: int
    """Width of hidden layers of heads and vector encoders."""
    blocks: int = 8
    """Blocks of the recurrent matrices."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} of a world model must be at least 1, got {value}")
        if self.deter % self.blocks:
            raise ValueError(
                f"{self.blocks} blocks do not divide a deterministic state of {self.deter}: "
                f"choose a multiple of {self.blocks}"
            )

    @property
    def flat_stoch(self) -> int:
        """Width of the stochastic state as one vector."""
        return self.stoch * self.classes

    @property
    def feature(self) -> int:
        """Width of both states side by side."""
        return self.deter + self.flat_stoch


SIZES: Mapping[str, WorldModelSize] = MappingProxyType(
    {
        "tiny": WorldModelSize(deter=256, hidden=64, stoch=16, classes=16, depth=4, units=128),
        "small": WorldModelSize(deter=1024, hidden=128, stoch=32, classes=16, depth=12, units=192),
        "12m": WorldModelSize(deter=2048, hidden=256, stoch=32, classes=16, depth=16, units=256),
    }
)
"""Sizes by name: `12m` is size12m of DreamerV3 (arXiv 2301.04104), the others are ours."""
