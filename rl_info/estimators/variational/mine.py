"""MINE (Belghazi et al., arXiv 1801.04062)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.inputs import Samples
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.donsker_varadhan import (
    donsker_varadhan_bound,
    donsker_varadhan_influence,
)
from rl_info.estimators.variational.tracked_partition import (
    check_rate,
    track_log_partition,
    tracked_partition_bound,
)


@dataclass(frozen=True)
class MINEConfig(VariationalConfig):
    """Settings of MINE."""

    average_rate: float = 0.01
    """Share of the new minibatch in the moving average of E_product[e^f]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate("average_rate", self.average_rate)


class MINE(VariationalEstimator):
    """Donsker–Varadhan with the bias of the minibatch gradient corrected (section 3.2 there).

    The denominator of the gradient is a moving average over minibatches, see
    `tracked_partition_bound`; the reading is `donsker_varadhan_bound` on all pairs, hence no bound.
    """

    settings = MINEConfig
    config: MINEConfig

    def fit(self, x: Samples, y: Samples) -> MINE:
        """As any; the moving average starts anew."""
        self._log_average: Tensor | None = None
        super().fit(x, y)
        return self

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−(E_joint[f] − E_product[e^f] / moving average), up to constants."""
        scores = model(x, y)
        self._log_average = track_log_partition(self._log_average, scores, self.config.average_rate)
        return {"mine": -tracked_partition_bound(scores, self._log_average)}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """Donsker–Varadhan of all pairs."""
        scores = model(x, y).double()
        return Reading(donsker_varadhan_bound(scores), donsker_varadhan_influence(scores))
