"""What estimators that read a learned q(y|x) and r(y) have in common."""

from __future__ import annotations

import math
from typing import ClassVar, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimator
from rl_info.estimators.fitted_densities import (
    NOT_FITTED,
    DensityConfig,
    FittedDensities,
    fit_densities,
)
from rl_info.estimators.inputs import Samples
from rl_info.estimators.margins import Margins

# typing.Self is refused by the run-time type checks of the tests.
Learned = TypeVar("Learned", bound="DensityEstimator")


class DensityEstimator(Estimator):
    """Learns q(y|x) and r(y), and is read at the pairs asked about, one at a time.

    Standard errors are those of means over the samples asked about, models held fixed.
    """

    bound: ClassVar[Bound] = "none"
    learns: ClassVar[bool] = True
    settings: ClassVar[type[DensityConfig]] = DensityConfig

    def __init__(
        self,
        config: DensityConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or self.settings(), seed=seed, device=device)
        self.densities: FittedDensities | None = None

    @property
    def margins(self) -> Margins:
        """How columns are prepared before they are whitened."""
        return "raw"

    def fit(self: Learned, x: Samples, y: Samples) -> Learned:
        """Learn from samples (N, X) and (N, Y), at least 10.

        Raises ValueError for unusable samples and FloatingPointError if the loss explodes.
        """
        self.densities = fit_densities(
            x,
            y,
            self.config,
            margins=self.margins,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )
        return self

    def fitted(self) -> FittedDensities:
        """The learned densities; raises RuntimeError before `fit`."""
        if self.densities is None:
            raise RuntimeError(NOT_FITTED)
        return self.densities


def standard_error(local: Float[Tensor, "B"]) -> float:
    """Of the mean of these terms."""
    return local.std().item() / math.sqrt(len(local))
