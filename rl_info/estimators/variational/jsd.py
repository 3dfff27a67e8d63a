"""A critic trained by the Jensen–Shannon divergence, read by NWJ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from rl_info.estimators.base import Bound
from rl_info.estimators.critics import CriticSize
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.clipped_model import ClippedModel, best_limits
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.nwj import read_log_ratio
from rl_info.estimators.variational.ratio_model import RatioModel
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

    clip: bool = True
    """Read scores clipped to the range that reads most of the validation samples; see `JSD`."""


class JSD(VariationalEstimator):
    """A critic trained by `jensen_shannon_bound`, whose best is the log ratio, and read by NWJ.

    As Poole et al. (arXiv 1905.06922, section 2.5) read it, but for `clip`. The logistic loss
    grows only linearly in the score of a mixed pair, NWJ exponentially: among millions of mixed
    pairs a few scores of 100 cost the training nothing and the reading 10³⁷ nats, which happens
    from about 6 nats on. So scores are read clipped to [low, high], the range under which NWJ of
    the validation samples is highest (`best_limits`). A clipped critic is a critic: the reading
    stays a lower bound in expectation, unlike SMILE's, which clips one of its two means. The
    price is a bias downwards: no value exceeds `high`, itself at most ln of the number of
    validation pairs, and log ratios beyond the range are lost. The reading has the variance of
    NWJ, the training has not.
    """

    bound: ClassVar[Bound] = "lower"
    settings = JSDConfig
    config: JSDConfig

    def build(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The critic, with limits of its scores that only the reading uses."""
        return ClippedModel(ratio)

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

    @torch.no_grad()
    def finish(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        """Set the limits of what is read."""
        assert isinstance(model, ClippedModel)
        if self.config.clip:
            model.set_limits(*best_limits(model(x, y).double()))

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """NWJ of all pairs, their scores clipped."""
        assert isinstance(model, ClippedModel)
        return read_log_ratio(model.clipped(model(x, y).double()))
