"""The bound I_α between InfoNCE and TUBA (Poole et al., arXiv 1905.06922)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.critics import CriticSize
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.offset_model import OffsetModel
from rl_info.estimators.variational.ratio_model import RatioModel
from rl_info.estimators.variational.scores import (
    check_scores,
    log_mean_negatives_of_rows,
    without_diagonal,
)


def interpolated_bound(
    scores: Float[Tensor, "B B"], log_offset: Float[Tensor, B], alpha: float
) -> Float[Tensor, ""]:
    """I_α = 1 + E_joint[ln(e^f / w)] − E_product[e^f / w], w = α·m(x) + (1 − α)·a(x); in nats.

    Equation 12 of arXiv 1905.06922 with the roles of x and y exchanged; ln a(x_i) is
    `log_offset`. m(x) is the mean of e^f over B − 1 candidates: for the joint, the true y and all
    but one of the others, averaged over which is left out; for the product, all the others. Both
    have the same number of candidates, without which it would not be a bound. The joint term is
    at most ln((B − 1) / α), the value at most 1 more, and not even that for α = 1, which is InfoNCE
    (with B − 1); α = 0 is TUBA, bias falls and variance grows with 1/α.
    """
    joint, excess, _ = _parts(scores, log_offset, alpha)
    return (1 + joint - excess).mean()


def interpolated_influence(
    scores: Float[Tensor, "B B"], log_offset: Float[Tensor, B], alpha: float
) -> Float[Tensor, B]:
    """What each pair contributes to `interpolated_bound`, as its own row and as a candidate."""
    joint, excess, weights = _parts(scores, log_offset, alpha)
    gain = (1 + alpha - alpha * excess)[:, None]
    as_candidate = (without_diagonal(scores) - weights.diagonal()[:, None]).exp() * gain
    return joint - excess - as_candidate.sum(dim=0) / (scores.shape[0] - 1)


def _parts(
    scores: Float[Tensor, "B B"], log_offset: Float[Tensor, B], alpha: float
) -> tuple[Float[Tensor, B], Float[Tensor, B], Float[Tensor, "B B"]]:
    """Rows of the joint term and of the product term, and ln w with candidate j left out."""
    check_scores(scores)
    check_alpha(alpha)
    others = scores.shape[0] - 1
    candidates = _log_sums_without_one(scores) - math.log(others)
    offset = log_offset[:, None] + _log(1 - alpha)
    weights = torch.logaddexp(candidates + _log(alpha), offset)
    joint = scores.diagonal() - without_diagonal(weights, 0.0).sum(dim=1) / others
    excess = (log_mean_negatives_of_rows(scores) - weights.diagonal()).exp()
    return joint, excess, weights


@dataclass(frozen=True)
class InterpolatedConfig(VariationalConfig):
    """Settings of I_α."""

    alpha: float = 0.01
    """α: 1 is InfoNCE, towards 0 TUBA."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alpha(self.alpha)


class Interpolated(VariationalEstimator):
    """A critic and an offset a(x) trained and read by `interpolated_bound`."""

    bound: ClassVar[Bound] = "lower"
    settings = InterpolatedConfig
    config: InterpolatedConfig

    def build(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The critic with the offset beside it."""
        return OffsetModel(ratio, size, generator)

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−I_α."""
        scores, log_offset = model(x, y)
        return {"interpolated": -interpolated_bound(scores, log_offset, self.config.alpha)}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """I_α of all pairs."""
        scores, log_offset = model(x, y)
        parts = scores.double(), log_offset.double(), self.config.alpha
        return Reading(interpolated_bound(*parts), interpolated_influence(*parts))


def check_alpha(alpha: float) -> None:
    """Raise ValueError unless `alpha` lies between 0 and 1."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie between 0 (TUBA) and 1 (InfoNCE), got {alpha}")


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf


def _log_sums_without_one(scores: Float[Tensor, "B B"]) -> Float[Tensor, "B B"]:
    """[i, j]: ln of the sum of e^f(x_i, y_k) over k ≠ j."""
    whole = scores.logsumexp(dim=1, keepdim=True)
    largest = torch.zeros_like(scores, dtype=torch.bool)
    largest.scatter_(1, scores.argmax(dim=1, keepdim=True), True)
    # Taking away a term of at most half the sum is exact to rounding; the largest may be nearly
    # all of it, so what is left is summed anew.
    share = (scores - whole).exp().masked_fill(largest, 0)
    rest = scores.masked_fill(largest, -math.inf).logsumexp(dim=1, keepdim=True)
    return torch.where(largest, rest, whole + torch.log1p(-share))
