"""Differential entropy from neighbour distances (Kozachenko and Leonenko 1987), and information."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from scipy.special import digamma
from torch import Tensor

from rl_info.estimators.base import Estimate
from rl_info.estimators.inputs import Samples, as_matrix
from rl_info.estimators.local import estimate_of, prepare
from rl_info.estimators.margins import Margins
from rl_info.estimators.neighbour_estimator import NeighbourConfig, NeighbourEstimator
from rl_info.estimators.neighbours import Norm, neighbour_distances
from rl_info.estimators.neighbours.ties import warn_of_ties


@dataclass(frozen=True)
class KozachenkoLeonenkoConfig(NeighbourConfig):
    """Settings of the estimator by three entropies."""

    norm: Norm = "euclidean"
    """In which neighbours are looked for."""


class KozachenkoLeonenko(NeighbourEstimator):
    """h(X) + h(Y) − h(X,Y), each entropy from distances to the k-th neighbour.

    In nats, on no side of the truth. The three biases do not cancel, because the neighbours of the
    pair are much farther than those of x and y: KSG is usually nearer the truth, and this estimator
    too low where information or dimensions are many. `std_error` is that of the mean of the N local
    terms as if they were independent; it knows nothing of the bias.

    Samples on other devices are moved to the CPU, and float32 is computed in float64.
    Warns of equal samples (`TiedSamplesWarning`). Raises ValueError for fewer than k + 1 samples,
    and if k others equal a sample, since its density is then infinite.
    """

    settings: ClassVar[type[NeighbourConfig]] = KozachenkoLeonenkoConfig
    config: KozachenkoLeonenkoConfig

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        settings = self.config

        def entropy(points: np.ndarray) -> np.ndarray:
            return local_entropy(points, settings.k, settings.norm, settings.threads)

        return estimate_from_entropies(left, right, settings.margins, entropy)


def estimate_from_entropies(
    x: Tensor,
    y: Tensor,
    margins: Margins,
    entropy: Callable[[np.ndarray], np.ndarray],
) -> Estimate:
    """h(X) + h(Y) − h(X,Y) in nats of checked samples (N, X) and (N, Y).

    `entropy` gives the local terms (N,) of an entropy of points (N, D). Warns of ties.
    """
    warn_of_ties(x.numpy(force=True), y.numpy(force=True))
    first, second = prepare(x, margins), prepare(y, margins)
    joint = entropy(np.hstack([first, second]))
    return estimate_of(entropy(first) + entropy(second) - joint)


def entropy_kl(
    x: Samples, k: int = 3, *, norm: Norm = "euclidean", threads: int | None = None
) -> Estimate:
    """Differential entropy h(X) in nats of samples (N,) or (N, D), float32 or float64.

    h = ψ(N) − ψ(k) + ⟨ln V(ε)⟩, with V(ε) the volume of the ball that reaches the k-th neighbour
    (Kozachenko and Leonenko 1987; for k > 1 Singh et al. 2003). Bias O((k/N)^{2/D}), and of either
    sign: efficient for D ≤ 3 only (arXiv 1606.00304), where `entropy_weighted_kl` is not needed.
    `std_error` is that of the mean of local terms. Raises ValueError for samples that cannot be
    used, fewer than k + 1 of them, or one that equals k others, where h has no finite estimate.
    """
    return estimate_of(local_entropy(as_points(x, k), k, norm, threads))


def local_entropy(
    points: Float64[np.ndarray, "N D"], k: int, norm: Norm, threads: int | None = None
) -> Float64[np.ndarray, " N"]:
    """The N terms whose mean is the estimate, in nats."""
    distances = neighbour_distances(points, k, norm, threads)[:, -1]
    return float(digamma(len(points)) - digamma(k)) + log_volumes(distances, points.shape[1], norm)


def log_volumes(
    distances: Float64[np.ndarray, "*S"], dims: int, norm: Norm
) -> Float64[np.ndarray, "*S"]:
    """ln of the volumes of balls with these radii; raises ValueError for a radius of zero."""
    zero = int((distances == 0).sum())
    if zero:
        raise ValueError(
            f"{zero} distances to neighbours are zero, so the density would be infinite: remove "
            "repeated rows or raise k; mixed_ksg takes values that repeat"
        )
    if norm == "max":
        return dims * np.log(2 * distances)
    unit_ball = 0.5 * dims * math.log(math.pi) - math.lgamma(0.5 * dims + 1)
    return unit_ball + dims * np.log(distances)


def as_points(x: Samples, k: int) -> Float64[np.ndarray, "N D"]:
    """`x` as an array of at least k + 1 rows, or ValueError."""
    points = as_matrix(x, "x")
    if len(points) < k + 1:
        raise ValueError(f"{len(points)} samples are too few: at least {k + 1} are needed")
    return prepare(points, "raw")
