"""Covariance (or dispersion) matrices of (X, Y) jointly, all with unit variances unless noted.

The dense and the two-pair matrix are those of the public benchmark of Czyż et al., "Beyond Normal"
(NeurIPS 2023, arXiv 2306.11078).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def paired(x_dims: int, y_dims: int, correlations: Sequence[float]) -> Float[Tensor, "D D"]:
    """The first coordinates of X and Y correlate pair by pair, all others are independent.

    Raises ValueError for more correlations than pairs, or one outside (−1, 1).
    """
    if len(correlations) > min(x_dims, y_dims):
        raise ValueError(
            f"{len(correlations)} pairs need as many dimensions on both sides, "
            f"got {x_dims} and {y_dims}"
        )
    if any(not -1 < correlation < 1 for correlation in correlations):
        raise ValueError(f"correlations lie between -1 and 1, got {list(correlations)}")
    matrix = torch.eye(x_dims + y_dims, dtype=torch.float64)
    for index, correlation in enumerate(correlations):
        matrix[index, x_dims + index] = matrix[x_dims + index, index] = correlation
    return matrix


def equal_pairs(dims: int, information: float) -> Float[Tensor, "D D"]:
    """`dims` pairs of one correlation that together carry `information` nats.

    ρ = √(1 − exp(−2 I / dims)). Raises ValueError if `information` is negative.
    """
    if information < 0:
        raise ValueError(f"information is never negative, got {information}")
    return paired(dims, dims, [math.sqrt(-math.expm1(-2 * information / dims))] * dims)


def dense(x_dims: int, y_dims: int, correlation: float = 0.5) -> Float[Tensor, "D D"]:
    """Every two coordinates, within X, within Y and across, correlate equally.

    Raises ValueError for a correlation outside [0, 1).
    """
    if not 0 <= correlation < 1:
        raise ValueError(f"one correlation for all lies in [0, 1), got {correlation}")
    dims = x_dims + y_dims
    matrix = torch.full((dims, dims), correlation, dtype=torch.float64)
    return matrix + (1 - correlation) * torch.eye(dims, dtype=torch.float64)


def two_pairs(x_dims: int, y_dims: int, correlation: float = 0.8) -> Float[Tensor, "D D"]:
    """Two pairs correlate, all other coordinates are independent noise."""
    return paired(x_dims, y_dims, [correlation, correlation])


def latent(
    x_loadings: Float[Tensor, "X D"], y_loadings: Float[Tensor, "Y D"], noise: float = 1.0
) -> Float[Tensor, "J J"]:
    """X = A z + σ e and Y = B z + σ e' with a shared standard normal z; variances are not 1.

    Raises ValueError for noise ≤ 0, which would make the information infinite.
    """
    if noise <= 0:
        raise ValueError(f"noise must be > 0, got {noise}")
    loadings = torch.cat([x_loadings, y_loadings]).to(torch.float64)
    identity = torch.eye(len(loadings), dtype=torch.float64)
    return loadings @ loadings.T + noise**2 * identity


def factors(
    x_dims: int,
    y_dims: int,
    pairs: int,
    *,
    everywhere: float,
    within: float,
    between: float,
    alone: float,
) -> Float[Tensor, "D D"]:
    """Correlations of a latent factor model: every coordinate is its own N(0, 1) plus factors.

    One factor loads `everywhere`, one `within` each side; each of the first `pairs` coordinates
    of X shares one of loading `between` with its partner in Y, the rest have a private one of
    loading `alone`. Raises ValueError for more pairs than dimensions.
    """
    if not 0 <= pairs <= min(x_dims, y_dims):
        raise ValueError(f"pairs must lie in [0, {min(x_dims, y_dims)}], got {pairs}")
    dims = x_dims + y_dims
    matrix = torch.full((dims, dims), everywhere**2, dtype=torch.float64)
    matrix[:x_dims, :x_dims] += within**2
    matrix[x_dims:, x_dims:] += within**2
    paired_rows = torch.arange(pairs)
    private = torch.full((dims,), alone**2, dtype=torch.float64)
    private[paired_rows] = private[x_dims + paired_rows] = between**2
    matrix += torch.diag(1 + private)
    matrix[paired_rows, x_dims + paired_rows] += between**2
    matrix[x_dims + paired_rows, paired_rows] += between**2
    scale = matrix.diagonal().rsqrt()
    return matrix * scale[:, None] * scale
