"""Weighted Kozachenko–Leonenko entropy (Berrett, Samworth and Yuan, arXiv 1606.00304)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from scipy.special import digamma, gammaln

from rl_info.estimators.base import Estimate
from rl_info.estimators.inputs import IncompleteCorrectionWarning, Samples
from rl_info.estimators.kozachenko_leonenko import as_points, estimate_from_entropies, log_volumes
from rl_info.estimators.local import estimate_of
from rl_info.estimators.neighbour_estimator import NeighbourConfig, NeighbourEstimator
from rl_info.estimators.neighbours import neighbour_distances

UNWEIGHTED_NEIGHBOURS = 3
"""Neighbours where weights have nothing to cancel: more of them would only add bias."""


@dataclass(frozen=True)
class WeightedKozachenkoLeonenkoConfig(NeighbourConfig):
    """Settings of the estimator by three weighted entropies."""

    k: int = 20
    """Most neighbours; up to one in D of them, evenly spread, carry weight."""
    neighbours_per_condition: int = 10
    """At most so many neighbours for each condition on the bias, ⌊D/4⌋ of D columns of x and y
    together: more of them only reach farther. 3 neighbours where there is none. Chosen on the
    correlated normals of the benchmark, whose figures are no evidence for the choice elsewhere."""
    largest_norm: float = 20.0
    """Most root of the sum of squared weights; inf: all ⌊D/4⌋ conditions of the paper."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.largest_norm >= 1:
            raise ValueError(
                f"largest_norm must be at least 1, the weight of one neighbour alone, "
                f"got {self.largest_norm}"
            )
        if self.neighbours_per_condition < 1:
            raise ValueError(
                f"neighbours_per_condition must be at least 1, got {self.neighbours_per_condition}"
            )

    def neighbours(self, columns: int) -> int:
        """Neighbours used for x and y of so many columns together."""
        conditions = columns // 4
        useful = self.neighbours_per_condition * conditions if conditions else UNWEIGHTED_NEIGHBOURS
        return min(self.k, useful)


class WeightedKozachenkoLeonenko(NeighbourEstimator):
    """h(X) + h(Y) − h(X,Y), each entropy a weighted mean over neighbours that cancels bias.

    In nats, on no side of the truth. `std_error` is that of the mean of the N local terms as if
    they were independent; it knows nothing of the bias.

    Limits: the theory is one of N → ∞ at fixed D, where the k-th neighbour is so near that the
    bias is a few terms of a power series in its distance. Weights help while that is roughly so,
    with many samples in 4 to 11 dimensions of x and y together; below 4 there is nothing they
    could cancel, and the estimate is the plain one with 3 neighbours. From 12 on, weights that meet
    all conditions of the paper are so large that chance drowns what they gain, and meeting only
    some cancels too little or too much: that is
    warned of (IncompleteCorrectionWarning). Of 4,000 correlated normals of 2 nats, 5 + 5 columns
    read 0.1 too low (plain, with 3 neighbours: 0.4), 10 + 10 read 1.5 too high (plain: 1.4 too
    low), and 20 + 20 read 4 too high (plain: 3 too low).

    Samples on other devices are moved to the CPU, and float32 is computed in float64.
    Warns of equal samples (`TiedSamplesWarning`). Raises ValueError for fewer than k + 1 samples,
    and if a neighbour that carries weight is at distance zero, since the density is then infinite.
    """

    settings: ClassVar[type[NeighbourConfig]] = WeightedKozachenkoLeonenkoConfig
    config: WeightedKozachenkoLeonenkoConfig

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        settings = self.config
        columns = left.shape[1] + right.shape[1]
        # The same for all three entropies, so that part of their biases cancels.
        k = settings.neighbours(columns)
        _warn_of_conditions_left_out(k, columns, settings.largest_norm)

        def entropy(points: np.ndarray) -> np.ndarray:
            return _local_entropy(points, k, settings.largest_norm, settings.threads)

        return estimate_from_entropies(left, right, settings.margins, entropy)


def entropy_weighted_kl(
    x: Samples, k: int = 20, *, largest_norm: float = 20.0, threads: int | None = None
) -> Estimate:
    """Differential entropy h(X) in nats of samples (N,) or (N, D), float32 or float64.

    Σ_j w_j h_j with h_j the Kozachenko–Leonenko estimate from the j-th neighbour and the weights of
    `bias_cancelling_weights`. Writes ψ(N) where the paper has ln(N − 1), which differs by less than
    1/N and makes the plain estimate exact for constant densities. `std_error` is that of the mean
    of local terms. Warns (IncompleteCorrectionWarning) where weights leave conditions of the paper
    out, as from 12 columns on: the value may then be off by nats. Raises ValueError for samples
    that cannot be used, fewer than k + 1 of them, or distances of zero.
    """
    points = as_points(x, k)
    _warn_of_conditions_left_out(k, points.shape[1], largest_norm)
    return estimate_of(_local_entropy(points, k, largest_norm, threads))


def bias_cancelling_weights(
    k: int, dims: int, largest_norm: float = math.inf
) -> Float64[np.ndarray, " K"]:
    """The weights w_1 … w_k of least norm that sum to 1 and cancel the leading terms of the bias.

    Zero but for j in {⌊k/D⌋, ⌊2k/D⌋, …, k}, and Σ_j w_j Γ(j + 2l/D) / Γ(j) = 0 for
    l = 1 … ⌊D/4⌋ (eq. 2 of the paper). The conditions are nearly parallel, so that weights explode
    with D (norm 14 at D = 10, 10⁴ at D = 20). Conditions of the highest order are left out until
    the norm is at most `largest_norm`, which the paper does not do.
    """
    return _weights_and_conditions(k, dims, largest_norm)[0]


def _weights_and_conditions(
    k: int, dims: int, largest_norm: float
) -> tuple[Float64[np.ndarray, " K"], int]:
    """The weights, and how many conditions on the bias they meet."""
    chosen = np.unique(np.arange(1, dims + 1) * k // dims)
    chosen = chosen[chosen > 0]
    result = np.zeros(k)
    for orders in range(min(dims // 4, len(chosen) - 1), 0, -1):
        weights = _least_norm(chosen, dims, orders)
        if np.linalg.norm(weights) <= largest_norm:
            result[chosen - 1] = weights
            return result, orders
    result[k - 1] = 1.0
    return result, 0


def _warn_of_conditions_left_out(k: int, dims: int, largest_norm: float) -> None:
    met, asked = _weights_and_conditions(k, dims, largest_norm)[1], dims // 4
    if met < asked:
        warnings.warn(
            f"weights of {k} neighbours in {dims} columns meet {met} of the {asked} conditions "
            f"that cancel the bias, the others out of reach within a norm of {largest_norm:g}: "
            "the value may be off by nats, to either side, whatever its standard error. Use fewer "
            "columns, more neighbours below 12 columns, or difference_of_entropies",
            IncompleteCorrectionWarning,
            stacklevel=3,
        )


def _least_norm(chosen: np.ndarray, dims: int, orders: int) -> np.ndarray:
    powers = 2 * np.arange(orders + 1)[:, None] / dims
    # Γ(j + p) / Γ(j) grows as j^p; by the largest of each row, all rows are of one size.
    conditions = gammaln(chosen + powers) - gammaln(chosen)
    conditions = np.exp(conditions - conditions.max(axis=1, keepdims=True))
    target = np.zeros(orders + 1)
    target[0] = 1.0
    return np.linalg.lstsq(conditions, target, rcond=None)[0]


def _local_entropy(
    points: Float64[np.ndarray, "N D"], k: int, largest_norm: float, threads: int | None
) -> Float64[np.ndarray, " N"]:
    """The N terms whose mean is the estimate, in nats."""
    samples, dims = points.shape
    weights = bias_cancelling_weights(k, dims, largest_norm)
    used = np.flatnonzero(weights)
    distances = neighbour_distances(points, k, "euclidean", threads)[:, used]
    terms = log_volumes(distances, dims, "euclidean") - digamma(used + 1.0)
    return digamma(samples) + terms @ weights[used]
