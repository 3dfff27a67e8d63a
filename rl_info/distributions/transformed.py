"""A pair of variables seen through maps that lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import JointDistribution
from rl_info.distributions.transforms import identity

Transform = Callable[[Tensor], Tensor]
"""An injective map of samples (N, D) to samples (N, D')."""


@dataclass(frozen=True)
class Transformed:
    """(f(X), g(Y)) with injective f and g: the information of (X, Y)."""

    base: JointDistribution
    """The pair that is mapped."""
    x_map: Transform = identity
    """f."""
    y_map: Transform = identity
    """g."""

    @property
    def x_dims(self) -> int:
        """Dimensions of f(X)."""
        return _width(self.x_map, self.base.x_dims)

    @property
    def y_dims(self) -> int:
        """Dimensions of g(Y)."""
        return _width(self.y_map, self.base.y_dims)

    @property
    def information(self) -> float:
        """I(X;Y) in nats, which injective maps keep."""
        return self.base.information

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` draws in float64 on the generator's device."""
        x, y = self.base.sample(n, generator)
        return self.x_map(x), self.y_map(y)


def _width(transform: Transform, dims: int) -> int:
    return int(transform(torch.zeros(1, dims, dtype=torch.float64)).shape[1])
