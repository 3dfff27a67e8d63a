"""A uniform variable with uniform noise added."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import draw_uniform


@dataclass(frozen=True)
class AdditiveUniform:
    """Y = X + E with X ~ U(0, 1) and E ~ U(−ε, ε), independently in every dimension.

    Per dimension I = ε − ln 2ε for ε ≤ ½, else 1 / (4ε) nats (Czyż et al. 2023, arXiv 2306.11078).
    Raises ValueError for ε ≤ 0, or as many ε as are not dimensions.
    """

    noise: float | tuple[float, ...]
    """ε, half the width of the noise: one for all dimensions, or one for each."""
    dims: int = 1
    """Dimensions of X, and of Y."""

    def __post_init__(self) -> None:
        if len(self.widths) != self.dims or self.dims < 1:
            raise ValueError(f"dims is {self.dims} for {len(self.widths)} values of noise")
        if min(self.widths) <= 0:
            raise ValueError(f"noise must be > 0, got {self.noise}: without it I is infinite")

    @property
    def widths(self) -> tuple[float, ...]:
        """ε of every dimension."""
        return self.noise if isinstance(self.noise, tuple) else (self.noise,) * self.dims

    @property
    def x_dims(self) -> int:
        """Dimensions of X."""
        return self.dims

    @property
    def y_dims(self) -> int:
        """Dimensions of Y."""
        return self.dims

    @property
    def information(self) -> float:
        """I(X;Y) in nats."""
        return sum(
            noise - math.log(2 * noise) if noise <= 0.5 else 0.25 / noise for noise in self.widths
        )

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` draws in float64 on the generator's device."""
        x = draw_uniform(n, self.dims, generator)
        return x, x + x.new_tensor(self.widths) * (2 * draw_uniform(n, self.dims, generator) - 1)

    def log_ratio(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, N]:
        """ln p(y|x) − ln p(y): minus the log of how much of [y − ε, y + ε] lies in [0, 1].

        −∞ where the noise cannot lead from x to y.
        """
        noise = x.new_tensor(self.widths)
        overlap = (y + noise).clamp_max(1.0) - (y - noise).clamp_min(0.0)
        possible = ((y - x).abs() <= noise).all(dim=1)
        ratio = -torch.log(overlap).sum(dim=1)
        return torch.where(possible, ratio, ratio.new_tensor(-math.inf))


def noise_for_information(information: float) -> float:
    """ε at which one dimension carries `information` nats (> 0), to the last digits."""
    if information <= 0:
        raise ValueError(f"information must be > 0, got {information}")
    if information <= 0.5:
        return 0.25 / information
    # Below ε = ½ the root of ε − ln 2ε = I is found by bisection between its two simple bounds.
    low, high = 0.5 * math.exp(-information), 0.5
    for _ in range(100):
        middle = 0.5 * (low + high)
        more = AdditiveUniform(middle).information > information
        low, high = (middle, high) if more else (low, middle)
    return 0.5 * (low + high)
