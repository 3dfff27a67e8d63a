"""The Cauchy–Schwarz information bottleneck (Yu et al., ICLR 2024, arXiv 2404.17951)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.cauchy_schwarz import KernelSums, quadratic_information
from rl_info.distances import squared_distances
from rl_info.objectives.checks import Metrics, require_batch, require_positive

LEAST = 1e-12
"""Information below which a variable counts as constant, in nats."""


def gaussian_kernel(
    x: Float[Tensor, "B D"], y: Float[Tensor, "N D"], bandwidth: float
) -> Float[Tensor, "B N"]:
    """e^{−‖x_i − y_j‖²/2σ²}; raises ValueError for a bandwidth σ that is not positive."""
    require_positive("bandwidth", bandwidth)
    return torch.exp(-squared_distances(x, y) / (2 * bandwidth**2))


def cauchy_schwarz_information(
    x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"], x_bandwidth: float, y_bandwidth: float
) -> Float[Tensor, ""]:
    """CS-QMI: the Cauchy–Schwarz divergence of p(x, y) from p(x)p(y), at least 0, in nats.

    ln mean(K∘L) + ln(mean K · mean L) − 2 ln mean_i(mean_j K_ij · mean_j L_ij) with Gaussian
    kernels K of x and L of y (arXiv 2404.17951, equation 12; nats instead of bits).

    Limits: it is not Shannon's mutual information and depends on the bandwidths; O(B²) memory.
    """
    return _information(gaussian_kernel(x, x, x_bandwidth), gaussian_kernel(y, y, y_bandwidth))


def normalised_cauchy_schwarz_information(
    x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"], x_bandwidth: float, y_bandwidth: float
) -> Float[Tensor, ""]:
    """CS-QMI of x and y over the geometric mean of those of x and of y with themselves.

    One if y is x with the same bandwidth. Zero if either is constant. Limits: those of
    `cauchy_schwarz_information`; that it stays below one is not proven.
    """
    kernel, other = gaussian_kernel(x, x, x_bandwidth), gaussian_kernel(y, y, y_bandwidth)
    own = _information(kernel, kernel).clamp_min(LEAST)
    others = _information(other, other).clamp_min(LEAST)
    return _information(kernel, other) / torch.sqrt(own * others)


def conditional_cauchy_schwarz_divergence(
    x: Float[Tensor, "B X"],
    target: Float[Tensor, "B Y"],
    prediction: Float[Tensor, "B Y"],
    x_bandwidth: float,
    y_bandwidth: float,
) -> Float[Tensor, ""]:
    """Cauchy–Schwarz divergence of p(y|x) from the law of the predictions given x, in nats.

    ln Σ_j a_j(L) + ln Σ_j a_j(M) − 2 ln Σ_j a_j(C) with a_j(A) = Σ_i K_ij A_ij / (Σ_i K_ij)²,
    K the kernel of x, L of targets, M of predictions and C of predictions with targets
    (arXiv 2404.17951, equation 10, after arXiv 2301.08970). Zero if predictions equal targets.

    Limits: a kernel estimate, so it may be slightly negative; the authors' code divides by
    Σ_i K_ij² instead, which the derivation from densities does not give. O(B²) memory.
    """
    kernel = gaussian_kernel(x, x, x_bandwidth)
    share = kernel / kernel.sum(dim=1, keepdim=True).square()
    true, false, cross = (
        (share * gaussian_kernel(a, b, y_bandwidth)).sum().log()
        for a, b in ((target, target), (prediction, prediction), (prediction, target))
    )
    return true + false - 2 * cross


def cauchy_schwarz_bottleneck(
    x: Float[Tensor, "B X"],
    code: Float[Tensor, "B Z"],
    target: Float[Tensor, "B Y"],
    prediction: Float[Tensor, "B Y"],
    *,
    beta: float = 1e-2,
    x_bandwidth: float = 1.0,
    code_bandwidth: float = 1.0,
    y_bandwidth: float = 1.0,
) -> tuple[Float[Tensor, ""], Metrics]:
    """CS-IB: predict by conditional CS divergence, compress by normalised CS-QMI of x and code.

    D_CS(p(y|x); p(ŷ|x)) + β·I_CS(x; code) (arXiv 2404.17951, equation 9), with no assumption of
    normality and a deterministic code. The metrics are both terms.

    Limits: those of both terms; the kernel of x must be wide enough that rows have neighbours,
    else the divergence compares single samples: about the median distance for standardised x.
    Raises ValueError for fewer than two rows, a negative β, and bandwidths that are not positive.
    """
    require_batch(x.shape[0])
    if beta < 0:
        raise ValueError(f"beta must be at least 0, got {beta}")
    divergence = conditional_cauchy_schwarz_divergence(
        x, target, prediction, x_bandwidth, y_bandwidth
    )
    information = normalised_cauchy_schwarz_information(x, code, x_bandwidth, code_bandwidth)
    metrics = {"divergence": divergence.detach(), "information": information.detach()}
    return divergence + beta * information, metrics


def _information(x: Float[Tensor, "B B"], y: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    sums = KernelSums(x.sum(dim=1), y.sum(dim=1), (x * y).sum(dim=1))
    return quadratic_information(sums, self_pairs=True)
