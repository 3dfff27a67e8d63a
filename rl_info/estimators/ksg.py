"""KSG: mutual information from counts of neighbours (Kraskov et al. 2004, cond-mat/0305641)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import digamma

from rl_info.estimators.base import Estimate
from rl_info.estimators.inputs import Samples
from rl_info.estimators.local import estimate_of, prepare
from rl_info.estimators.neighbour_estimator import NeighbourConfig, NeighbourEstimator
from rl_info.estimators.neighbours import Norm, joint_distances, range_counts
from rl_info.estimators.neighbours.ties import warn_of_ties


@dataclass(frozen=True)
class KSGConfig(NeighbourConfig):
    """Settings of KSG."""

    norm: Norm = "euclidean"
    """Distance within x and within y; `max`, as in the paper, is biased more in many dimensions."""


class KSG(NeighbourEstimator):
    """The first estimator of the paper: ψ(k) + ψ(N) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩ (its eq. 8).

    With ε the distance from a pair to its k-th neighbour, where the distance of pairs is the larger
    of that of x and that of y, n_x and n_y count the samples of x and of y strictly nearer than ε.
    The value is in nats and on no side of the truth: almost
    unbiased near independence, too low for strong dependence, because the density is taken as
    constant within ε. The bias grows with information and dimensions and falls slowly with N;
    N samples hold at most about ln N, and 8 nats between normals of 5 dimensions need far more than
    10⁴. `std_error` is that of the mean of the N local terms as if they were independent; it knows
    nothing of the bias.

    `standard` margins make the value indifferent to shift and scale of columns, `rank` margins to
    any increasing map of columns.
    Samples on other devices are moved to the CPU, and float32 is computed in float64.
    Warns of equal samples (`TiedSamplesWarning`). Raises ValueError for fewer than k + 1 samples.
    """

    settings: ClassVar[type[NeighbourConfig]] = KSGConfig
    config: KSGConfig

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        warn_of_ties(left.numpy(force=True), right.numpy(force=True))
        settings = self.config
        prepared = prepare(left, settings.margins), prepare(right, settings.margins)
        return estimate_of(
            local_information(*prepared, settings.k, settings.norm, settings.threads)
        )


def local_information(
    x: Float[np.ndarray, "N X"],
    y: Float[np.ndarray, "N Y"],
    k: int,
    norm: Norm = "max",
    threads: int | None = None,
) -> Float64[np.ndarray, " N"]:
    """The N terms whose mean is the estimate, in nats."""
    radii = joint_distances(x, y, k, norm, threads)[:, -1].copy()
    psi = digamma(np.arange(1, len(x) + 1))
    within_x = range_counts(x, radii, norm, threads)
    within_y = range_counts(y, radii, norm, threads)
    return psi[k - 1] + psi[-1] - psi[within_x] - psi[within_y]
