"""The bound of Barber and Agakov (The IM algorithm, NIPS 2003)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Estimate
from rl_info.estimators.density_estimator import DensityEstimator, standard_error
from rl_info.estimators.entropy_difference import difference_of_entropies
from rl_info.estimators.fitted_densities import DensityConfig
from rl_info.estimators.inputs import NotABoundWarning, Samples
from rl_info.estimators.whitening import Whitening


def barber_agakov_bound(
    log_conditional: Float[Tensor, "B"], entropy: float | Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """h(Y) + E[ln q(y|x)] ≤ I(X;Y) in nats, for any density q; the gap is E KL(p(y|x) ‖ q).

    Barber and Agakov (2003). `entropy` is the true (differential) entropy of y: with an
    estimate in its place the value is no bound.
    """
    return log_conditional.mean() + entropy


@dataclass(frozen=True)
class BarberAgakovConfig(DensityConfig):
    """Settings of the bound of Barber and Agakov."""

    entropy: float | None = None
    """h(Y) in nats where it is known, as that of a prior from which skills are drawn."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.entropy is not None and not math.isfinite(self.entropy):
            raise ValueError(f"entropy must be finite nats or None, got {self.entropy}")


class BarberAgakov(DensityEstimator):
    """I ≥ h(Y) + E[ln q(y|x)] with a learned mixture of Gaussians q, in nats.

    A lower bound, and tagged so, only with the entropy of y given in the settings. Without it, the
    cross-entropy of y under a fitted mixture r stands in for it: that exceeds h(Y) by KL(p(y) ‖ r),
    so what results is a difference of entropies, tagged `none` and warned of (NotABoundWarning).

    No ceiling at ln N. Loose by E KL(p(y|x) ‖ q), and low by roughly X·Y/(2N) from overfitting.
    Columns are whitened, nothing else, so that a given entropy keeps its meaning. The standard
    error is that of the mean over the samples asked about, models held fixed.
    """

    settings: ClassVar[type[DensityConfig]] = BarberAgakovConfig
    config: BarberAgakovConfig

    def fit(self, x: Samples, y: Samples) -> BarberAgakov:
        """Learn from samples (N, X) and (N, Y), at least 10.

        Raises ValueError for unusable samples, also if `entropy` is given and the columns of y are
        linearly dependent, and FloatingPointError if the loss explodes.
        """
        if self.config.entropy is not None:
            # Told before training rather than after it.
            _, right = self.check(x, y)
            if math.isinf(Whitening.of(right).log_determinant):
                raise ValueError(
                    "y has no density, since its columns are linearly dependent, so its entropy is "
                    f"not {self.config.entropy}: remove columns, or set entropy=None"
                )
        return super().fit(x, y)

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples or other widths than fitted, RuntimeError before
        `fit`.
        """
        left, right = self.check(x, y)
        densities = self.fitted()
        conditional = densities.log_conditional(left, right)
        entropy = self.config.entropy
        if entropy is not None:
            # The density of y itself is that of whitened y times the determinant of the map.
            local = conditional + densities.y_log_determinant
            value = barber_agakov_bound(local, entropy)
            return Estimate(value.item(), standard_error(local), "lower")
        warnings.warn(
            "without the true entropy of y this is a difference of cross-entropies and no lower "
            "bound: give `entropy`, or use difference_of_entropies knowingly",
            NotABoundWarning,
            stacklevel=2,
        )
        marginal = densities.log_marginal(right)
        value = difference_of_entropies(conditional, marginal)
        return Estimate(value.item(), standard_error(conditional - marginal), self.bound)
