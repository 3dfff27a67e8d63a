"""Neighbour counts for mixtures of discrete and continuous values (Gao et al. 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.special import digamma
from torch import Tensor

from rl_info.estimators.base import Estimate
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.local import estimate_of, prepare
from rl_info.estimators.neighbour_estimator import NeighbourConfig, NeighbourEstimator
from rl_info.estimators.neighbours import Norm, joint_distances, range_counts
from rl_info.estimators.ties import copies


@dataclass(frozen=True)
class MixedKSGConfig(NeighbourConfig):
    """Settings of KSG for mixtures."""

    norm: Norm = "euclidean"
    """Distance within x and within y; that of pairs is the larger of the two."""


class MixedKSG(NeighbourEstimator):
    """KSG for values that may repeat: discrete, continuous, or both (arXiv 1709.06212).

    Algorithm 1 of Gao, Kannan, Oh and Viswanath, ⟨ψ(k̃) + ln N − ψ(n_x) − ψ(n_y)⟩: with ε the
    distance from a pair to its k-th neighbour, n_x and n_y count the samples of x and of y strictly
    nearer than ε, the sample itself included, and k̃ = k. Where ε = 0 the pair is an atom, and
    k̃, n_x and n_y count what equals it. Counts below ε and ψ, where their paper prints ≤ ε and
    logarithms, are those of KSG; both have the same limit. Without repeats it is
    KSG up to ln N − ψ(N), and of values that all repeat more than k times it is what their table
    tells, up to the bias of a count.

    In nats, on no side of the truth: consistent wherever I is finite, as for a label with a
    measurement, zero-inflated counts, or values cut off at a limit. Values that lie on a grid
    but hardly repeat (integers in thousands) tie at distances above zero, for which it corrects
    nothing. Where the data are continuous, its bias is that of `KSG`. `std_error` is that of the
    mean of the N local terms as if they were independent.

    Repeats are expected, so nothing warns of them. Samples on other devices are moved to the CPU,
    and float32 is computed in float64. Raises ValueError for fewer than k + 1 samples.
    """

    settings: ClassVar[type[NeighbourConfig]] = MixedKSGConfig
    config: MixedKSGConfig

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors; at least k + 1 of them. Atoms need no density."""
        return check_pair(x, y, minimum=self.config.k + 1, device=self.device, needs_density=False)

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        settings = self.config
        prepared = prepare(left, settings.margins), prepare(right, settings.margins)
        return estimate_of(local_mixed(*prepared, settings.k, settings.norm, settings.threads))


def local_mixed(
    x: Float[np.ndarray, "N X"],
    y: Float[np.ndarray, "N Y"],
    k: int,
    norm: Norm = "max",
    threads: int | None = None,
) -> Float64[np.ndarray, " N"]:
    """The N terms whose mean is the estimate, in nats."""
    radii = joint_distances(x, y, k, norm, threads)[:, -1].copy()
    atoms = radii == 0
    nearest = np.full(len(x), k)
    nearest[atoms] = copies(np.hstack([x, y]))[atoms]
    within_x = _within(x, radii, atoms, norm, threads)
    within_y = _within(y, radii, atoms, norm, threads)
    terms = digamma(nearest) + math.log(len(x)) - digamma(within_x) - digamma(within_y)
    return np.asarray(terms, dtype=np.float64)


def _within(
    points: Float[np.ndarray, "N D"],
    radii: Float64[np.ndarray, " N"],
    atoms: np.ndarray,
    norm: Norm,
    threads: int | None,
) -> Int64[np.ndarray, " N"]:
    """Samples nearer than the radius or, at atoms, equal; the sample itself among them."""
    counts = range_counts(points, radii, norm, threads) + 1
    if atoms.any():
        counts[atoms] = copies(points)[atoms]
    return counts
