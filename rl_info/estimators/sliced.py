"""Sliced mutual information (Goldfeld and Greenewald, arXiv 2110.05279; 2206.08526)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.ksg import local_information
from rl_info.estimators.local import prepare
from rl_info.estimators.margins import Margins
from rl_info.estimators.neighbours.ties import warn_of_ties


@dataclass(frozen=True)
class SlicedConfig(EstimatorConfig):
    """Settings of sliced mutual information."""

    projections: int = 100
    """Random pairs of projections that are averaged."""
    slice_dims: int = 1
    """Dimensions of each projection of x and of y."""
    k: int = 3
    """Neighbours that KSG takes in each slice."""
    margins: Margins = "standard"
    """How columns are prepared before they are projected."""
    threads: int | None = None
    """Threads; None: NUMBA_NUM_THREADS, else one per core."""

    def __post_init__(self) -> None:
        if self.projections < 2:
            raise ValueError(f"projections must be at least 2, got {self.projections}")
        if self.slice_dims < 1 or self.k < 1:
            raise ValueError(
                f"slice_dims and k must be at least 1, got {self.slice_dims} and {self.k}"
            )


class Sliced(Estimator):
    """Mean of I(AᵀX; BᵀY) over random orthonormal A and B, each estimated by KSG.

    Sliced information is another measure than I(X;Y): it is zero exactly if X and Y are
    independent and never above I(X;Y), hence the bound, but may lie far below it and shrinks with
    the dimensions; it can grow under maps of x that mutual information forbids to add any. What it
    buys is a rate of N^{-1/2} whatever the dimensions. The bound is that of its expectation but for
    KSG's small bias in `slice_dims` dimensions. It changes with the scale of single columns, which
    `standard` margins set.

    `std_error` joins the spread over samples (of each sample's terms, averaged over projections)
    and over projections. Projections are drawn from `seed`, the same for every call.
    Samples on other devices are moved to the CPU, and float32 is computed in float64.
    Warns of equal samples (`TiedSamplesWarning`). Raises ValueError for fewer than k + 1 samples
    and for slices of more dimensions than x or y have.
    """

    bound: ClassVar[Bound] = "lower"
    config: SlicedConfig

    def __init__(
        self,
        config: SlicedConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or SlicedConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors; at least k + 1 of them, with a column for each slice dimension."""
        left, right = check_pair(x, y, minimum=self.config.k + 1, device=self.device)
        narrowest = min(left.shape[1], right.shape[1])
        if self.config.slice_dims > narrowest:
            raise ValueError(
                f"slices of {self.config.slice_dims} dimensions of samples that have {narrowest}: "
                "lower slice_dims"
            )
        return left, right

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate sliced I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        warn_of_ties(left.numpy(force=True), right.numpy(force=True))
        settings, rng = self.config, np.random.default_rng(self.seed)
        first, second = prepare(left, settings.margins), prepare(right, settings.margins)
        by_sample = np.zeros(len(first))
        by_slice = np.zeros(settings.projections)
        for index in range(settings.projections):
            terms = local_information(
                first @ random_frame(first.shape[1], settings.slice_dims, rng),
                second @ random_frame(second.shape[1], settings.slice_dims, rng),
                settings.k,
                "euclidean",
                settings.threads,
            )
            by_sample += terms / settings.projections
            by_slice[index] = terms.mean()
        variance = by_sample.var(ddof=1) / len(by_sample)
        variance += by_slice.var(ddof=1) / settings.projections
        return Estimate(float(by_slice.mean()), math.sqrt(variance), self.bound)


def random_frame(dims: int, width: int, rng: np.random.Generator) -> Float64[np.ndarray, "D W"]:
    """`width` orthonormal columns of `dims` entries, uniform on the Stiefel manifold."""
    q, r = np.linalg.qr(rng.standard_normal((dims, width)))
    # The signs of a factorisation are the algorithm's choice; those of r's diagonal undo it.
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
