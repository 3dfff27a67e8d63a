"""Jointly normal variables."""

from __future__ import annotations

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import draw_normal


class Normal:
    """(X, Y) ~ N(0, Σ) with I = ½ (ln|Σ_xx| + ln|Σ_yy| − ln|Σ|) nats."""

    def __init__(self, covariance: Float[Tensor, "D D"], x_dims: int) -> None:
        """Raises ValueError unless the covariance is positive definite and both sides exist."""
        self.covariance = covariance.to(torch.float64)
        self.factor = cholesky(self.covariance)
        self.x_dims = x_dims
        self.y_dims = len(covariance) - x_dims
        if x_dims < 1 or self.y_dims < 1:
            raise ValueError(f"x_dims must lie in [1, {len(covariance) - 1}], got {x_dims}")

    @cached_property
    def information(self) -> float:
        """I(X;Y) in nats."""
        return normal_information(self.covariance, self.x_dims)

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
        """`n` draws in float64 on the generator's device."""
        noise = draw_normal(n, self.x_dims + self.y_dims, generator)
        joint = noise @ self.factor.T.to(noise.device)
        return joint[:, : self.x_dims], joint[:, self.x_dims :]

    def log_ratio(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, N]:
        """ln p(x, y) − ln p(x) − ln p(y)."""
        quadratic = squared_lengths(self.covariance, x, y)
        return self.information - 0.5 * (quadratic[0] - quadratic[1] - quadratic[2])


def normal_information(covariance: Float[Tensor, "D D"], x_dims: int) -> float:
    """½ (ln|Σ_xx| + ln|Σ_yy| − ln|Σ|) in nats, of a positive definite matrix in float64."""
    blocks = (covariance[:x_dims, :x_dims], covariance[x_dims:, x_dims:], covariance)
    x_part, y_part, joint = (float(torch.linalg.slogdet(block)[1]) for block in blocks)
    return max(0.0, 0.5 * (x_part + y_part - joint))


def squared_lengths(
    matrix: Float[Tensor, "D D"], x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
) -> tuple[Float[Tensor, N], Float[Tensor, N], Float[Tensor, N]]:
    """zᵀ Σ⁻¹ z of the joint vector, of x and of y, each with its own block of `matrix`."""
    split = x.shape[1]
    matrix = matrix.to(x)
    parts = (
        (matrix, torch.cat([x, y], dim=1)),
        (matrix[:split, :split], x),
        (matrix[split:, split:], y),
    )
    joint, left, right = (
        (vectors * torch.linalg.solve(block, vectors.T).T).sum(dim=1) for block, vectors in parts
    )
    return joint, left, right


def cholesky(matrix: Float[Tensor, "D D"]) -> Float[Tensor, "D D"]:
    """Lower factor of a symmetric positive definite matrix, ValueError for any other."""
    if not torch.allclose(matrix, matrix.T):
        raise ValueError("a covariance matrix must be symmetric")
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if int(failed):
        raise ValueError("the covariance matrix is not positive definite: lower its correlations")
    return factor
