"""Maximum likelihood with a tracked partition function, after MECO (arXiv 2306.07485)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.inputs import Samples
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.nwj import read_log_ratio
from rl_info.estimators.variational.scores import log_mean_negatives
from rl_info.estimators.variational.tracked_partition import (
    check_rate,
    track_log_partition,
    tracked_partition_bound,
)

FEWEST_PAIRS_TO_HALVE = 4
"""Validation samples below which halves would hold no two pairs."""


@dataclass(frozen=True)
class MECOConfig(VariationalConfig):
    """Settings of the compositional log-partition estimator."""

    partition_rate: float = 0.1
    """γ: share of the new minibatch in the partition function u."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate("partition_rate", self.partition_rate)


class MECO(VariationalEstimator):
    """p̃(x, y) = p(x) p(y) e^f fitted to the joint distribution by maximum likelihood.

    The noise distribution q of the paper is the product of the marginals, so p̃/q = e^f, and
    u ← (1 − γ) u + γ·mean(p̃/q) follows the partition function (algorithm 1 there, with Adam's
    first moment as its average of gradients). Training therefore descends as MINE does, with a
    faster average. The reading differs: u is fixed on the validation samples once training is
    over, which makes it a lower bound in expectation, see `tracked_partition_bound`. Its variance
    is that of NWJ. What chooses when to stop is that same reading, with u from one half of the
    validation samples and pairs from the other: at the u that suits its own pairs a critic that has
    run away would lose only the logarithm of what the reading then subtracts in full.
    """

    bound: ClassVar[Bound] = "lower"
    settings = MECOConfig
    config: MECOConfig

    def fit(self, x: Samples, y: Samples) -> MECO:
        """As any; the partition function starts anew."""
        self._log_partition: Tensor | None = None
        self._fixed: Tensor | None = None
        super().fit(x, y)
        return self

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−(E_joint[f] − E_product[e^f] / u), up to constants."""
        scores = model(x, y)
        self._log_partition = track_log_partition(
            self._log_partition, scores, self.config.partition_rate
        )
        return {"likelihood": -tracked_partition_bound(scores, self._log_partition)}

    def score(
        self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Float[Tensor, ""]:
        """The bound on each half of the pairs at the u of the other half."""
        if x.shape[0] < FEWEST_PAIRS_TO_HALVE:
            return super().score(model, x, y)
        scores = model(x, y).double()
        half = x.shape[0] // 2
        first, second = scores[:half, :half], scores[half:, half:]
        return (_read_at_other(first, second) + _read_at_other(second, first)) / 2

    @torch.no_grad()
    def finish(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        """Fix u on validation samples for the state that was kept."""
        self._fixed = log_mean_negatives(model(x, y).double())

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """The bound at the fixed u; while training, where u still moves, at its best value."""
        scores = model(x, y).double()
        log_partition = log_mean_negatives(scores) if self._fixed is None else self._fixed
        return read_log_ratio(scores - log_partition)


def _read_at_other(own: Float[Tensor, "B B"], other: Float[Tensor, "C C"]) -> Float[Tensor, ""]:
    return tracked_partition_bound(own, log_mean_negatives(other))
