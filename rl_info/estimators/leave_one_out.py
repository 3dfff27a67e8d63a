"""Leave-one-out bound (Poole et al., ICML 2019, arXiv 1905.06922)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate
from rl_info.estimators.conditional_pairs import PairConfig, PairEstimator, check_square
from rl_info.estimators.inputs import Samples, SaturatedWarning

NATS_BELOW_LOG_SAMPLES = 1.5
"""Within so many nats of ln N the reading begins to overshoot."""


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
    overshoots without limit, for no other x explains a y; warned of from ln N − 1.5 nats on
    (SaturatedWarning).

    The standard error is that of the mean over samples, as if the others were fixed: a little low.
    Time O(N²), memory O(N).
    """

    bound: ClassVar[Bound] = "none"
    settings: ClassVar[type[PairConfig]] = LeaveOneOutConfig
    condition: ClassVar[str] = "it is an upper bound if q is p(y|x)"

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples or other widths than fitted, RuntimeError before
        `fit` unless the density is given.
        """
        left, right = self.check(x, y)
        local = left.new_empty(left.shape[0], dtype=torch.float64)
        for where, block in self.columns(left, right):
            local[where] = local_leave_one_out(block, where)
        error = local.std() / math.sqrt(len(local))
        if local.mean() > math.log(len(local)) - NATS_BELOW_LOG_SAMPLES:
            warnings.warn(
                f"{local.mean():.3g} nats are too near ln {len(local)} = {math.log(len(local)):.3g}"
                " for this reading, or beyond: too few other x explain a y, and it overshoots. "
                "Give more samples, or use difference_of_entropies",
                SaturatedWarning,
                stacklevel=2,
            )
        return Estimate(local.mean().item(), error.item(), self.tag())
