"""Entropy-based adaptive binning, EBAB (Chelombiev et al., ICLR 2019, arXiv 1902.09037)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, SaturatedWarning, check_pair
from rl_info.estimators.plug_in import cells, discrete_information, row_labels

SAMPLES_PER_CELL = 5
"""Samples that a cell of the joint table should hold on average for counts to mean anything."""


@dataclass(frozen=True)
class AdaptiveBinningConfig(EstimatorConfig):
    """Settings of the estimator by adaptive binning."""

    bins: int | None = None
    """Bins of every column; None: as many as leave five samples to a cell of the joint table, at
    least 2. The paper uses 30, which suits the entropy of one layer, not a joint table."""
    bias_correction: bool = True
    """Subtract the bias of counting to first order (the paper does not); may be negative then."""

    def __post_init__(self) -> None:
        if self.bins is not None and self.bins < 2:
            raise ValueError(f"bins must be at least 2, got {self.bins}")


class AdaptiveBinning(Estimator):
    """I of x and y, each binned so that every bin holds as many distinct values, in nats.

    As in the paper the bins are shared by all columns of a variable. Binning destroys information
    and counting adds a bias of about (cells_x − 1)(cells_y − 1)/(2N), removed to first order only,
    so the value may lie on either side of the truth and hardly exceeds ln N. Useful to two or three
    columns in all. Takes discrete values, which keep bins of their own while there are no more than
    `bins`.

    The standard error is that of the mean of ln p(x, y)/(p(x) p(y)) with the bins held fixed: up to
    a third too small where dependence is strong, as the edges move with the samples.
    """

    config: AdaptiveBinningConfig

    def __init__(
        self,
        config: AdaptiveBinningConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or AdaptiveBinningConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError; discrete values are welcome."""
        return check_pair(x, y, device=self.device, needs_density=False)

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) from samples (N, X) and (N, Y); warns where nearly every cell holds one.

        Raises ValueError for samples that cannot be used, naming what is wrong.
        """
        left, right = self.check(x, y)
        samples, columns = left.shape[0], left.shape[1] + right.shape[1]
        bins = self.config.bins or max(2, int((samples / SAMPLES_PER_CELL) ** (1 / columns)))
        x_labels, y_labels = adaptive_labels(left, bins), adaptive_labels(right, bins)
        occupied = cells(row_labels(torch.stack([x_labels, y_labels], dim=1)))
        if occupied > samples / 2:
            warnings.warn(
                f"{samples} samples fall into {occupied} cells of {bins} bins a column: the value "
                "reflects the number of samples more than their dependence; use fewer bins or "
                "columns, or more samples",
                SaturatedWarning,
                stacklevel=2,
            )
        return discrete_information(x_labels, y_labels, bias_correction=self.config.bias_correction)


def adaptive_edges(values: Float[Tensor, "*S"], bins: int) -> Float[Tensor, "E"]:
    """Inner edges of at most `bins` bins that hold equally many distinct values each.

    All values are pooled, as the paper does for the neurons of a layer. Counting distinct values
    rather than samples keeps the many equal outputs of a saturated or rectified neuron from taking
    all bins. A value on an edge belongs to the bin above.
    """
    distinct = torch.unique(values)
    if distinct.numel() <= bins:
        return distinct[1:]
    starts = torch.arange(1, bins, device=distinct.device) * distinct.numel() // bins
    return distinct[starts]


def adaptive_labels(x: Float[Tensor, "N D"], bins: int) -> Int64[Tensor, "N"]:
    """One label for each row of x whose columns fall into the same adaptive bins."""
    return binned_labels(x, adaptive_edges(x, bins))


def binned_labels(x: Float[Tensor, "N D"], inner_edges: Float[Tensor, "E"]) -> Int64[Tensor, "N"]:
    """One label for each row of x whose columns fall between the same `inner_edges`."""
    return row_labels(torch.bucketize(x.contiguous(), inner_edges.contiguous(), right=True))
