"""Information of the normal copula: ranks instead of values, then canonical correlations."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.cca import check_pair_is_tall, estimate_normal
from rl_info.estimators.inputs import Samples, TiedSamplesWarning, check_pair
from rl_info.estimators.normal_scores import normal_scores

EXPECTED = 0.0
"""Offset of ranks that gives rank / (N + 1)."""


@dataclass(frozen=True)
class GaussianCopulaConfig(EstimatorConfig):
    """Settings of the estimator by the normal copula."""

    bias_correction: bool = True
    """Subtract the exact bias under normality; the estimate may then be negative."""


class GaussianCopula(Estimator):
    """Columns made standard normal by their ranks, then I by canonical correlations, in nats.

    Ince et al. (Human Brain Mapping 38, 2017). Exact in the limit where the copula of all columns
    is normal, whatever their marginals; invariant to strictly increasing maps of each column, not
    to rotations. In expectation a lower bound for one column each, by maximal entropy; with more
    columns it bounds nothing, since x alone need not be normal. Blind to dependence that the ranks
    do not correlate with, such as a circle. Ranks cannot tell near certainty from certainty: of 10
    nats between two normal columns 10,000 samples show 8.7. Computes in float64.

    The standard error is that of the canonical correlations with the normal scores held fixed.
    """

    config: GaussianCopulaConfig

    def __init__(
        self,
        config: GaussianCopulaConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or GaussianCopulaConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError, also for fewer than X + Y + 2 of them."""
        left, right = check_pair(x, y, device=self.device)
        check_pair_is_tall(left, right)
        return left, right

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) from samples (N, X) and (N, Y); warns of ties, whose ranks are averaged.

        Raises ValueError for unusable samples, fewer than X + Y + 2 of them, and if the normal
        scores of y are a linear function of those of x, where the information is infinite.
        """
        left, right = self.check(x, y)
        for name, values in (("x", left), ("y", right)):
            _warn_of_ties(name, values)
        return estimate_normal(
            normal_scores(left, EXPECTED),
            normal_scores(right, EXPECTED),
            self.config.bias_correction,
        )


def _warn_of_ties(name: str, values: Float[Tensor, "N D"]) -> None:
    ordered = values.sort(dim=0).values
    ties = (ordered[1:] == ordered[:-1]).sum(dim=0)
    # A column that never changes was warned of already and carries nothing.
    tied = ((ties > 0) & (ties < values.shape[0] - 1)).nonzero().flatten().tolist()
    if tied:
        warnings.warn(
            f"{name} repeats values in column(s) {tied}: their ranks are averaged, and the normal "
            "copula of data with ties is not defined",
            TiedSamplesWarning,
            stacklevel=3,
        )
