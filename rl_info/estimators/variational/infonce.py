"""InfoNCE (van den Oord et al., arXiv 1807.03748)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound, Estimate
from rl_info.estimators.inputs import Samples, SaturatedWarning
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.scores import check_scores, log_count

NATS_BELOW_CEILING = 1.0
"""Within so many nats of ln K the contrast is nearly exhausted."""


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
    `candidates`), and lags behind the truth from a nat below on, which is warned of
    (SaturatedWarning). See `infonce_bound`.
    """

    bound: ClassVar[Bound] = "lower"
    settings: ClassVar[type[VariationalConfig]] = InfoNCEConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−InfoNCE."""
        return {"infonce": -infonce_bound(model(x, y))}

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """As any; warns of a value within a nat of ln K."""
        found = super().estimate(x, y)
        ceiling = math.log(len(x) / math.ceil(len(x) / self.config.candidates))
        if found.value > ceiling - NATS_BELOW_CEILING:
            warnings.warn(
                f"{found.value:.3g} nats are near the most that {math.exp(ceiling):.0f} pairs can "
                f"show by contrast, ln K = {ceiling:.3g}: the truth may lie far above. Give more "
                "samples or candidates, or use difference_of_entropies",
                SaturatedWarning,
                stacklevel=2,
            )
        return found

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """InfoNCE of all pairs at once."""
        scores: torch.Tensor = model(x, y).double()
        return Reading(infonce_bound(scores), infonce_influence(scores))
