"""The f-divergence bound of Nguyen, Wainwright and Jordan (arXiv 0809.0853)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.scores import (
    check_scores,
    log_mean_negatives,
    log_mean_negatives_of_columns,
    log_mean_negatives_of_rows,
)


def nwj_bound(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E_joint[f] − e⁻¹ E_product[e^f]: a lower bound of I(X;Y) in nats, unbiased for each critic.

    Equation 8 of arXiv 1905.06922; the second mean is over the pairs off the diagonal. Best at
    f = 1 + log density ratio. Its variance grows as e^I: from I ≈ ln of the number of pairs on,
    what is seen of the second mean is too small almost always and huge rarely.
    """
    check_scores(scores)
    return scores.diagonal().mean() - (log_mean_negatives(scores) - 1).exp()


def nwj_influence(scores: Float[Tensor, "B B"]) -> Float[Tensor, B]:
    """What each pair contributes to `nwj_bound`, as a true pair and in pairs with all others."""
    rows = (log_mean_negatives_of_rows(scores) - 1).exp()
    columns = (log_mean_negatives_of_columns(scores) - 1).exp()
    return scores.diagonal() - rows - columns


def read_log_ratio(scores: Float[Tensor, "B B"]) -> Reading:
    """NWJ for scores that approach the log density ratio itself, which lies 1 below its best f."""
    return Reading(nwj_bound(scores + 1), nwj_influence(scores + 1))


@dataclass(frozen=True)
class NWJConfig(VariationalConfig):
    """Settings of NWJ."""


class NWJ(VariationalEstimator):
    """A critic trained by NWJ and read by NWJ, in a form whose best critic is the log ratio.

    See `nwj_bound`.
    """

    bound: ClassVar[Bound] = "lower"
    settings: ClassVar[type[VariationalConfig]] = NWJConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−NWJ."""
        return {"nwj": -nwj_bound(model(x, y) + 1)}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """NWJ of all pairs."""
        return read_log_ratio(model(x, y).double())
