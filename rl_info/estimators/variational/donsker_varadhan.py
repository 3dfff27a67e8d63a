"""The Donsker–Varadhan representation of mutual information."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.scores import (
    check_scores,
    log_mean_negatives,
    log_mean_negatives_of_columns,
    log_mean_negatives_of_rows,
)


def donsker_varadhan_bound(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E_joint[f] − ln E_product[e^f], in nats; unchanged by a constant added to the scores.

    Equation 5 of arXiv 1905.06922; the second mean is over the pairs off the diagonal. With exact
    means a lower bound of I(X;Y), best at f = log density ratio + any constant. With sample means
    it is none: the logarithm of a mean lies below in expectation, so the value lies too high, and
    much so where few pairs carry the second mean (I above ln of the number of pairs).
    """
    check_scores(scores)
    return scores.diagonal().mean() - log_mean_negatives(scores)


def donsker_varadhan_influence(scores: Float[Tensor, "B B"]) -> Float[Tensor, B]:
    """What each pair contributes to `donsker_varadhan_bound`, by the delta method."""
    mean = log_mean_negatives(scores)
    rows = (log_mean_negatives_of_rows(scores) - mean).exp()
    columns = (log_mean_negatives_of_columns(scores) - mean).exp()
    return scores.diagonal() - rows - columns


@dataclass(frozen=True)
class DonskerVaradhanConfig(VariationalConfig):
    """Settings of Donsker–Varadhan."""


class DonskerVaradhan(VariationalEstimator):
    """A critic trained by Donsker–Varadhan on minibatches and read by it on all pairs.

    The gradient is that of the minibatch value, biased by its logarithm; `MINE` corrects that.
    See `donsker_varadhan_bound` for why the estimate is not a bound.
    """

    settings = DonskerVaradhanConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−Donsker–Varadhan."""
        return {"donsker_varadhan": -donsker_varadhan_bound(model(x, y))}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """Donsker–Varadhan of all pairs."""
        scores = model(x, y).double()
        return Reading(donsker_varadhan_bound(scores), donsker_varadhan_influence(scores))
