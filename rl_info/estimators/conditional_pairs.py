"""What the upper bounds read from densities of all pairs, a block of pairs at a time.

`log_probs[i, j]` is ln q(y_j|x_i): the diagonal belongs to the joint distribution.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimator
from rl_info.estimators.fitted_densities import (
    NOT_FITTED,
    DensityConfig,
    FittedDensities,
    LogDensity,
    fit_densities,
)
from rl_info.estimators.inputs import NotABoundWarning, Samples

BLOCK_PAIRS = 1 << 18
"""Pairs that a given density is asked about at a time."""


@dataclass(frozen=True)
class PairConfig(DensityConfig):
    """Settings of an estimator that compares q(y_i|x_i) with q(y_i|x_j)."""

    log_density: LogDensity | None = None
    """ln p(y|x) where it is known, as that of a policy or encoder: then nothing is learned."""


def check_square(log_probs: Float[Tensor, "B B"]) -> None:
    """Raise ValueError unless there are at least two pairs."""
    if log_probs.shape[0] < 2:
        raise ValueError("at least 2 pairs are needed: one has no other to be compared with")


class PairEstimator(Estimator):
    """Learns q(y|x), or takes the true p(y|x), and reads it at all pairs asked about."""

    learns: ClassVar[bool] = True
    settings: ClassVar[type[PairConfig]] = PairConfig
    condition: ClassVar[str]
    """When the value is an upper bound, for the warning."""
    config: PairConfig

    def __init__(
        self,
        config: PairConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or self.settings(), seed=seed, device=device)
        self.densities: FittedDensities | None = None

    def fit(self, x: Samples, y: Samples) -> PairEstimator:
        """Learn q(y|x) from samples (N, X) and (N, Y), at least 10, unless it is given.

        Raises ValueError for unusable samples and FloatingPointError if the loss explodes.
        """
        if self.config.log_density is not None:
            return super().fit(x, y)
        self.densities = fit_densities(
            x,
            y,
            self.config,
            margins="raw",
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )
        return self

    def columns(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Iterator[tuple[slice, Float[Tensor, "N M"]]]:
        """Blocks of columns of the matrix ln q(y_j|x_i), in float64, with where they belong."""
        log_pairs = self._log_pairs()
        width = max(1, BLOCK_PAIRS // x.shape[0])
        for start in range(0, y.shape[0], width):
            where = slice(start, min(start + width, y.shape[0]))
            yield where, log_pairs(x, y[where]).double()

    def tag(self) -> Bound:
        """`upper` with a given density; else `none`, with a NotABoundWarning."""
        if self.config.log_density is not None:
            return "upper"
        warnings.warn(
            f"{type(self).__name__} with a learned q(y|x) bounds nothing: {self.condition}, which "
            "samples cannot show. Give the true `log_density` if it is known",
            NotABoundWarning,
            stacklevel=3,
        )
        return "none"

    def _log_pairs(self) -> LogDensity:
        known = self.config.log_density
        if known is not None:
            return lambda x, y: _given_pairs(known, x, y)
        if self.densities is None:
            raise RuntimeError(NOT_FITTED)
        return self.densities.log_pairs


def _given_pairs(
    log_density: LogDensity, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]
) -> Float[Tensor, "N M"]:
    left = x.repeat_interleave(y.shape[0], dim=0)
    values = log_density(left, y.repeat(x.shape[0], 1))
    if values.shape != (left.shape[0],):
        raise ValueError(
            f"log_density returned shape {tuple(values.shape)} for {left.shape[0]} rows: expected "
            "one number a row, such as the sum over the last axis"
        )
    return values.view(x.shape[0], y.shape[0])
