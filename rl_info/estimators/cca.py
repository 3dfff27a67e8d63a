"""Information under a joint normal model, by canonical correlations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, check_pair


@dataclass(frozen=True)
class CCAConfig(EstimatorConfig):
    """Settings of the estimator by canonical correlations."""

    bias_correction: bool = True
    """Subtract the exact bias under normality; the estimate may then be negative."""


class CCA(Estimator):
    """I = −½ Σ ln(1 − ρ²) over the canonical correlations ρ of x and y (Hotelling 1936), in nats.

    Exact for jointly normal samples and unbiased there with `bias_correction`. Otherwise it is the
    information of the normal law with the same covariance, which is blind to dependence without
    correlation and neither bounds the truth: two modes or a swiss roll are underestimated, heavy
    tails may be overestimated. Invariant to invertible affine maps of x and of y. Collinear columns
    are dropped. Computes in float64.

    The standard error is the delta method's on the covariances and assumes no normality.
    """

    config: CCAConfig

    def __init__(
        self,
        config: CCAConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or CCAConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError, also for fewer than X + Y + 2 of them."""
        left, right = check_pair(x, y, device=self.device)
        check_pair_is_tall(left, right)
        return left, right

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) from samples (N, X) and (N, Y).

        Raises ValueError for unusable samples, fewer than X + Y + 2 of them, and if y is a linear
        function of x to the precision of float64, where the information is infinite.
        """
        left, right = self.check(x, y)
        return estimate_normal(left.double(), right.double(), self.config.bias_correction)


def estimate_normal(
    x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"], bias_correction: bool
) -> Estimate:
    """Estimate of the information of normal samples, collinear columns dropped."""
    samples = x.shape[0]
    x, y = orthonormal_basis(x), orthonormal_basis(y)
    joint = torch.cat([x, y], dim=1)
    if orthonormal_basis(joint).shape[1] < joint.shape[1]:
        raise ValueError(
            "a linear combination of the columns of y equals one of the columns of x: their "
            "information under a normal model is infinite. Remove the shared column or add noise"
        )
    value = gaussian_information(x, y).item()
    if bias_correction:
        value -= normal_bias(samples, x.shape[1], y.shape[1])
    leverage = torch.linalg.qr(joint)[0].square().sum(dim=1)
    influence = samples * (x.square().sum(dim=1) + y.square().sum(dim=1) - leverage) / 2
    error = influence.std(correction=0).item() / math.sqrt(samples)
    return Estimate(value, error, CCA.bound)


def gaussian_information(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, ""]:
    """−½ Σ ln(1 − ρ²) over the sample's canonical correlations, in nats, in the dtype of x.

    Differentiable, so it can be maximised; equals ½ ln(|C_x| |C_y| / |C|) of the sample
    covariances, taken from orthogonal factors rather than from C, so that 1 − ρ² keeps its relative
    precision as ρ → 1. Biased upwards by about XY/(2N). Raises ValueError for fewer than X + Y + 1
    samples; collinear columns give no usable value.
    """
    if x.shape[0] <= x.shape[1] + y.shape[1]:
        raise ValueError(
            f"{x.shape[0]} samples always correlate perfectly in {x.shape[1]} + {y.shape[1]} "
            "columns: give more samples than columns"
        )
    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    joint = torch.cat([x, y], dim=1)
    # The diagonals of R hold what each column adds to those before it: for y alone, and after x.
    alone = torch.linalg.qr(y)[1].diagonal()
    given_x = torch.linalg.qr(joint)[1].diagonal()[x.shape[1] :]
    return alone.abs().log().sum() - given_x.abs().log().sum()


def gaussian_information_of_covariance(
    covariance: Float[Tensor, "D D"], x_dim: int
) -> Float[Tensor, ""]:
    """Exact I(X;Y) in nats of jointly normal variables, differentiable.

    `covariance` is that of (x, y), with x its first `x_dim` columns. Raises ValueError if it is not
    positive definite or `x_dim` leaves x or y empty.
    """
    if not 0 < x_dim < covariance.shape[0]:
        raise ValueError(f"x_dim must lie in 1..{covariance.shape[0] - 1}, got {x_dim}")
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        raise ValueError("the covariance is not positive definite: the information is infinite")
    alone = torch.linalg.cholesky(covariance[x_dim:, x_dim:]).diagonal()
    return alone.log().sum() - factor.diagonal()[x_dim:].log().sum()


def normal_bias(samples: int, x_dim: int, y_dim: int) -> float:
    """Exact bias of −½ Σ ln(1 − ρ²) for normal samples, in nats: about XY/(2N).

    From E ln|S| = ln|Σ| + Σᵢ ψ((N − i)/2) + D ln(2/(N − 1)) of a sample covariance S in D
    dimensions (Wishart), i = 1..D.
    """
    terms = torch.digamma((samples - torch.arange(1, x_dim + y_dim + 1, dtype=torch.float64)) / 2)
    return ((terms[:x_dim].sum() + terms[:y_dim].sum() - terms.sum()) / 2).item()


def orthonormal_basis(x: Float[Tensor, "N D"]) -> Float[Tensor, "N R"]:
    """Orthonormal columns that span the centred columns of x; R is their rank."""
    centred = x - x.mean(dim=0)
    spread = centred.square().mean(dim=0).sqrt()
    # A column that never changes keeps rounding errors after centring, which no scale may enlarge.
    moving = spread > x.abs().amax(dim=0) * torch.finfo(x.dtype).eps * 8
    scaled = centred[:, moving] / spread[moving]
    left, singular, _ = torch.linalg.svd(scaled, full_matrices=False)
    tolerance = max(x.shape) * torch.finfo(x.dtype).eps
    return left[:, singular > tolerance * singular.amax()] if moving.any() else left[:, :0]


def check_pair_is_tall(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
    """Raise ValueError unless there are at least X + Y + 2 samples."""
    needed = x.shape[1] + y.shape[1] + 2
    if x.shape[0] < needed:
        raise ValueError(
            f"{x.shape[0]} samples are too few for {x.shape[1]} + {y.shape[1]} columns: at least "
            f"{needed} are needed"
        )
