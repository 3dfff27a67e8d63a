"""What a joint distribution of known information is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class JointDistribution(Protocol):
    """A pair of random vectors X and Y whose mutual information is known."""

    @property
    def x_dims(self) -> int:
        """Dimensions of X."""

    @property
    def y_dims(self) -> int:
        """Dimensions of Y."""

    @property
    def information(self) -> float:
        """I(X;Y) in nats: closed form, or numerically exact."""

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` independent draws of (X, Y) in float64 on the generator's device."""


@runtime_checkable
class DensityRatio(JointDistribution, Protocol):
    """A pair whose densities are known as well, so that its information can be checked."""

    def log_ratio(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, N]:
        """ln p(x, y) − ln p(x) − ln p(y), whose mean is the information."""


def draw_normal(n: int, dims: int, generator: torch.Generator) -> Float[Tensor, "N D"]:
    """Standard normal draws (n, dims) in float64 on the generator's device."""
    return torch.randn(n, dims, generator=generator, dtype=torch.float64, device=generator.device)


def draw_uniform(n: int, dims: int, generator: torch.Generator) -> Float[Tensor, "N D"]:
    """Draws (n, dims) from U(0, 1) in float64 on the generator's device."""
    return torch.rand(n, dims, generator=generator, dtype=torch.float64, device=generator.device)
