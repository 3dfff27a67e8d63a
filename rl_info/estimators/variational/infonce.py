"""InfoNCE (van den Oord et al., arXiv 1807.03748)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.variational.base import Reading, VariationalConfig, VariationalEstimator
from rl_info.estimators.variational.scores import check_scores, log_count


def infonce_bound(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E[f(x_i, y_i) − ln mean_j e^f(x_i, y_j)]: a lower bound of I(X;Y) in nats, at most ln B.

    Equation 5 of arXiv 1807.03748 and 10 of 1905.06922: each row is told from the others of its
    column's y. Unchanged by any function of x alone added to the scores. Low variance; blind to
    what exceeds ln B. The value never exceeds ln B, rounding included.
    """
    check_scores(scores)
    return scores.log_softmax(dim=1).diagonal().mean().clamp_max(0) + log_count(
        scores.shape[0], scores
    )


def infonce_influence(scores: Float[Tensor, "B B"]) -> Float[Tensor, B]:
    """What each pair contributes to `infonce_bound`, as its own row and as others' candidate."""
    log_share = scores.log_softmax(dim=1)
    return log_share.diagonal() - log_share.exp().sum(dim=0)


@dataclass(frozen=True)
class InfoNCEConfig(VariationalConfig):
    """Settings of InfoNCE."""


class InfoNCE(VariationalEstimator):
    """A critic trained by InfoNCE and read by InfoNCE on the pairs asked about.

    The estimate stays below ln K, where K is the number of pairs asked about (at most
    `candidates`). See `infonce_bound`.
    """

    bound: ClassVar[Bound] = "lower"
    settings: ClassVar[type[VariationalConfig]] = InfoNCEConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−InfoNCE."""
        return {"infonce": -infonce_bound(model(x, y))}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """InfoNCE of all pairs at once."""
        scores: torch.Tensor = model(x, y).double()
        return Reading(infonce_bound(scores), infonce_influence(scores))
