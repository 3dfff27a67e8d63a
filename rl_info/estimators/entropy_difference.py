"""Difference of entropies (McAllester and Stratos, arXiv 1811.04251)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Estimate
from rl_info.estimators.density_estimator import DensityEstimator, standard_error
from rl_info.estimators.fitted_densities import DensityConfig
from rl_info.estimators.inputs import Samples
from rl_info.estimators.margins import MARGINS, Margins


def difference_of_entropies(
    log_conditional: Float[Tensor, "B"], log_marginal: Float[Tensor, "B"]
) -> Float[Tensor, ""]:
    """E[ln q(y|x)] − E[ln r(y)] in nats: the cross-entropy of y less that of y given x.

    Equals I(X;Y) + KL(p(y) ‖ r) − E KL(p(y|x) ‖ q) (arXiv 1811.04251): each
    cross-entropy bounds an entropy from above, so their difference bounds nothing, and the errors
    of the two models cancel in part.
    """
    return (log_conditional - log_marginal).mean()


@dataclass(frozen=True)
class DifferenceOfEntropiesConfig(DensityConfig):
    """Settings of the difference of entropies."""

    margins: Margins = "rank"
    """Maps of the columns, learned in `fit`: `rank` (normal scores), `standard` or `raw`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margins not in MARGINS:
            raise ValueError(f"margins must be one of {', '.join(MARGINS)}, got {self.margins!r}")


class DifferenceOfEntropies(DensityEstimator):
    """I ≈ H_r(Y) − H_q(Y|X) of two learned mixtures of Gaussians, in nats.

    No ceiling at ln N and low variance, as the paper shows nothing with a distribution-free
    guarantee can have: the price is that the value bounds nothing. Both models begin at the best
    linear-Gaussian one, so for normal variables the estimate begins at the truth; where
    y is far from any small mixture of Gaussians given x (a narrow curved support), E KL(p‖q) pulls
    it down. Not symmetric: y is the variable that is modelled, best the one of fewer dimensions.

    The standard error is that of the mean over the samples asked about, models held fixed.
    """

    settings: ClassVar[type[DensityConfig]] = DifferenceOfEntropiesConfig
    config: DifferenceOfEntropiesConfig

    @property
    def margins(self) -> Margins:
        """How columns are prepared before they are whitened."""
        chosen: Margins = self.config.margins
        return chosen

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples or other widths than fitted, RuntimeError before
        `fit`.
        """
        left, right = self.check(x, y)
        densities = self.fitted()
        conditional = densities.log_conditional(left, right)
        marginal = densities.log_marginal(right)
        value = difference_of_entropies(conditional, marginal)
        return Estimate(value.item(), standard_error(conditional - marginal), self.bound)
