"""A pair of variables with columns added that have nothing to do with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import JointDistribution, draw_normal


@dataclass(frozen=True)
class IrrelevantColumns:
    """A pair whose sides are filled up with independent standard normal columns.

    The information stays what it was. Raises ValueError for fewer dimensions than the pair has.
    """

    base: JointDistribution
    """The pair itself, in the first columns."""
    x_dims: int
    """Dimensions of X with the columns added."""
    y_dims: int
    """Dimensions of Y with the columns added."""

    def __post_init__(self) -> None:
        if self.x_dims < self.base.x_dims or self.y_dims < self.base.y_dims:
            raise ValueError(
                f"{self.x_dims} and {self.y_dims} dimensions are fewer than the pair's own "
                f"{self.base.x_dims} and {self.base.y_dims}"
            )

    @property
    def information(self) -> float:
        """I(X;Y) in nats."""
        return self.base.information

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` draws in float64 on the generator's device."""
        x, y = self.base.sample(n, generator)
        x_noise = draw_normal(n, self.x_dims - self.base.x_dims, generator)
        y_noise = draw_normal(n, self.y_dims - self.base.y_dims, generator)
        return torch.cat([x, x_noise], dim=1), torch.cat([y, y_noise], dim=1)
