"""A named joint distribution of known information."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import JointDistribution


@dataclass(frozen=True)
class Task:
    """A distribution that estimators are tried on."""

    name: str
    """Name in tables."""
    distribution: JointDistribution
    """What is drawn from."""

    @property
    def dims(self) -> tuple[int, int]:
        """Dimensions of X and of Y."""
        return self.distribution.x_dims, self.distribution.y_dims

    @property
    def information(self) -> float:
        """The truth, I(X;Y) in nats."""
        return self.distribution.information

    def sample(
        self, n: int, generator: torch.Generator, dtype: torch.dtype = torch.float32
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` independent draws of (X, Y), drawn in float64 on the generator's device.

        float32 may round neighbours to ties where values are bounded; take float64 for estimators
        of neighbours.
        """
        x, y = self.distribution.sample(n, generator)
        return x.to(dtype), y.to(dtype)
