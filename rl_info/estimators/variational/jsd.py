"""A critic trained by the Jensen–Shannon divergence, read by NWJ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from rl_info.estimators.base import Bound
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.nwj import read_log_ratio
from rl_info.estimators.variational.scores import check_scores, without_diagonal


def jensen_shannon_bound(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E_joint[−ln(1 + e^−f)] − E_product[ln(1 + e^f)], in nats, at most 0.

    The logistic loss of telling true from mixed pairs (arXiv 1606.00709, table 2; 1808.06670,
    equation 4), negated: a lower bound of 2·JSD(joint ‖ product) − ln 4, best at f = log density
    ratio. Not a bound of I(X;Y). Its gradient is bounded, so it trains stably at any information;
    it vanishes for pairs that are told apart already.
    """
    check_scores(scores)
    pairs = scores.shape[0] * (scores.shape[0] - 1)
    negatives = without_diagonal(softplus(scores), 0.0).sum() / pairs
    return -softplus(-scores.diagonal()).mean() - negatives


@dataclass(frozen=True)
class JSDConfig(VariationalConfig):
    """Settings of JSD."""


class JSD(VariationalEstimator):
    """A critic trained by `jensen_shannon_bound`, whose best is the log ratio, and read by NWJ.

    As Poole et al. (arXiv 1905.06922, section 2.5) read it. The reading has the variance of NWJ,
    the training has not.
    """

    bound: ClassVar[Bound] = "lower"
    settings = JSDConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """The logistic loss."""
        return {"jensen_shannon": -jensen_shannon_bound(model(x, y))}

    def score(
        self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Float[Tensor, ""]:
        """What is trained, too: the reading would prefer lucky states."""
        return jensen_shannon_bound(model(x, y).double())

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """NWJ of all pairs."""
        return read_log_ratio(model(x, y).double())
