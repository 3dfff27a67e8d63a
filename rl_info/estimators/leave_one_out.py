"""Leave-one-out bound (Poole et al., ICML 2019, arXiv 1905.06922)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate
from rl_info.estimators.conditional_pairs import PairConfig, PairEstimator, check_square
from rl_info.estimators.inputs import Samples, SaturatedWarning

NATS_BELOW_LOG_SAMPLES = 1.5
"""Within so many nats of ln N the reading begins to overshoot."""
LARGEST_EXCESS = 0.1
"""Nats above ln N, averaged over all samples, that their terms may hold without a warning."""


def leave_one_out_bound(log_probs: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E[ln q(y_j|x_j) − ln mean_{i≠j} q(y_j|x_i)] in nats, of `log_probs[i, j]` = ln q(y_j|x_i).

    From arXiv 1905.06922. An upper bound of I(X;Y) in expectation if q is p(y|x), tight
    as B grows: the mean over others stands in for p(y), and its logarithm is low on average.
    """
    check_square(log_probs)
    return local_leave_one_out(log_probs, slice(0, log_probs.shape[0])).mean()


def local_leave_one_out(log_probs: Float[Tensor, "N M"], where: slice) -> Float[Tensor, "M"]:
    """ln q(y_j|x_j) less ln of the mean over other x_i, of the columns `where` of all pairs."""
    own = torch.zeros_like(log_probs, dtype=torch.bool)
    own[where].fill_diagonal_(True)
    others = log_probs.masked_fill(own, -math.inf).logsumexp(dim=0)
    return log_probs[where].diagonal() - others + math.log(log_probs.shape[0] - 1)


@dataclass(frozen=True)
class LeaveOneOutConfig(PairConfig):
    """Settings of the leave-one-out bound."""


class LeaveOneOut(PairEstimator):
    """ln q(y_i|x_i) against the mean of q(y_i|x_j) over all other pairs asked about, in nats.

    An upper bound of I(X;Y) with a given true p(y|x), and tagged so. With a learned q the value
    also falls by the divergence of q's posterior of x from the true one, so it is tagged `none`
    and always warned of (NotABoundWarning). Tight while I is well below ln N; beyond, the value
    overshoots without limit, for no other x explains a y: 8 nats between 1 + 1 normal columns read
    177 of 2,500 samples. Such samples show as terms above ln N, of which an exact mean over x has
    few. What those terms hold above ln N is warned of from 0.1 nats on, the value from ln N − 1.5
    on (SaturatedWarning); above ln N itself a learned q gives no value.

    The standard error is that of the mean over samples, as if the others were fixed: a little low.
    Time O(N²), memory O(N).
    """

    bound: ClassVar[Bound] = "none"
    settings: ClassVar[type[PairConfig]] = LeaveOneOutConfig
    condition: ClassVar[str] = "it is an upper bound if q is p(y|x)"

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples, other widths than fitted, and a value of a learned
        q above ln N, which these samples cannot show; RuntimeError before `fit` unless the density
        is given.
        """
        left, right = self.check(x, y)
        local = left.new_empty(left.shape[0], dtype=torch.float64)
        for where, block in self.columns(left, right):
            local[where] = local_leave_one_out(block, where)
        error = local.std() / math.sqrt(len(local))
        _check_saturation(local, is_learned=self.config.log_density is None)
        return Estimate(local.mean().item(), error.item(), self.tag())


def _check_saturation(local: Float64[Tensor, " N"], is_learned: bool) -> None:
    """Warn of terms that no other x explains; raise ValueError if the mean consists of them.

    With a given density even such a value is an upper bound in expectation, so it is left.
    """
    value, ceiling = local.mean().item(), math.log(len(local))
    excess = (local - ceiling).clamp_min(0).mean().item()
    advice = f"Give more than {len(local)} samples, or use difference_of_entropies"
    if value > ceiling and is_learned:
        raise ValueError(
            f"no value: too few other x explain a y, and what leave_one_out reads, {value:.3g}, "
            f"lies above ln {len(local)} = {ceiling:.3g} nats, where it overshoots without limit. "
            f"{advice}"
        )
    if value > ceiling - NATS_BELOW_LOG_SAMPLES or excess > LARGEST_EXCESS:
        warnings.warn(
            f"{excess:.2g} of {value:.3g} nats come from y that no other x explains, or the value "
            f"is too near ln {len(local)} = {ceiling:.3g}: the reading overshoots. {advice}",
            SaturatedWarning,
            stacklevel=3,
        )
