"""Jointly Student-t variables."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import draw_normal
from rl_info.distributions.normal import Normal, squared_lengths


class Student:
    """(X, Y) ~ t_ν(0, Ω): a normal vector divided by one common √(χ²_ν / ν).

    I = I_normal(Ω) + f(ν) + f(ν + X + Y) − f(ν + X) − f(ν + Y), f(u) = ln Γ(u/2) − (u/2) ψ(u/2):
    the common divisor carries information even where Ω is the identity (Czyż et al. 2023,
    arXiv 2306.11078). The smaller ν, the heavier the tails; ν = 1 has no mean.
    """

    def __init__(
        self, dispersion: Float[Tensor, "D D"], x_dims: int, degrees_of_freedom: float
    ) -> None:
        """Raises ValueError for ν ≤ 0 or a dispersion that is not positive definite."""
        if degrees_of_freedom <= 0:
            raise ValueError(f"degrees_of_freedom must be > 0, got {degrees_of_freedom}")
        self.normal = Normal(dispersion, x_dims)
        self.x_dims, self.y_dims = x_dims, self.normal.y_dims
        self.degrees_of_freedom = float(degrees_of_freedom)

    @cached_property
    def information(self) -> float:
        """I(X;Y) in nats."""
        correction = tail_information(self.x_dims, self.y_dims, self.degrees_of_freedom)
        return self.normal.information + correction

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` draws in float64 on the generator's device."""
        x, y = self.normal.sample(n, generator)
        divisor = (self._chi_square(n, generator) / self.degrees_of_freedom).sqrt()
        return x / divisor, y / divisor

    def log_ratio(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, N]:
        """ln p(x, y) − ln p(x) − ln p(y)."""
        joint, left, right = squared_lengths(self.normal.covariance, x, y)
        freedom = self.degrees_of_freedom
        dims = (self.x_dims + self.y_dims, self.x_dims, self.y_dims)
        powers = [
            -(freedom + width) / 2 * torch.log1p(length / freedom)
            for width, length in zip(dims, (joint, left, right), strict=True)
        ]
        constant = (
            self.normal.information
            + math.lgamma((freedom + dims[0]) / 2)
            + math.lgamma(freedom / 2)
            - math.lgamma((freedom + dims[1]) / 2)
            - math.lgamma((freedom + dims[2]) / 2)
        )
        return constant + powers[0] - powers[1] - powers[2]

    def _chi_square(self, n: int, generator: torch.Generator) -> Float[Tensor, "N 1"]:
        """χ²_ν draws; whole ν as a sum of squares, since torch's gamma draws need a CPU seed."""
        whole, rest = divmod(self.degrees_of_freedom, 1.0)
        if rest == 0.0 and whole <= 64:
            return draw_normal(n, int(whole), generator).square().sum(dim=1, keepdim=True)
        shape = torch.full(
            (n, 1), self.degrees_of_freedom / 2, dtype=torch.float64, device=generator.device
        )
        return 2 * torch._standard_gamma(shape, generator=generator)


def tail_information(x_dims: int, y_dims: int, degrees_of_freedom: float) -> float:
    """What a Student pair tells beyond the normal pair of the same dispersion, in nats."""

    def term(u: float) -> float:
        digamma = float(torch.special.digamma(torch.tensor(u / 2, dtype=torch.float64)))
        return math.lgamma(u / 2) - u / 2 * digamma

    freedom = degrees_of_freedom
    both = term(freedom) + term(freedom + x_dims + y_dims)
    return both - term(freedom + x_dims) - term(freedom + y_dims)
