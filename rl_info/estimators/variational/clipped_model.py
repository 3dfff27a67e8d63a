"""A model that scores pairs, and limits between which its scores are read."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from rl_info.estimators.variational.ratio_model import RatioModel
from rl_info.estimators.variational.scores import check_scores, without_diagonal

HIGH_SHARES = (0.25, 0.5, 0.75, 0.9, 0.97, 1.0)
"""Shares of true pairs whose scores lie below the ceilings that are tried."""
HIGH_STEPS = (0.0, 1.0, 2.0)
"""Nats above those scores that are tried, for a critic that scores all true pairs too low."""
LOW_SHARES = (0.0, 0.003, 0.01, 0.03, 0.1)
"""Shares of true pairs whose scores lie below the floors that are tried."""
LOW_STEPS = (0.0, 2.0, 4.0)
"""Nats below those scores that are tried, since a floor lifts all mixed pairs below it."""


class ClippedModel(nn.Module):
    """Scores of all pairs, and limits that may be set once they are learned."""

    low: Tensor
    high: Tensor

    def __init__(self, ratio: RatioModel) -> None:
        super().__init__()
        self.ratio = ratio
        self.register_buffer("low", torch.tensor(-math.inf, dtype=torch.float64))
        self.register_buffer("high", torch.tensor(math.inf, dtype=torch.float64))

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Scores as they are trained, without limits."""
        return self.ratio(x, y)

    def clipped(self, scores: Float64[Tensor, "N M"]) -> Float64[Tensor, "N M"]:
        """Scores as they are read."""
        return scores.clamp(self.low.double(), self.high.double())

    def set_limits(self, low: float, high: float) -> None:
        """Read scores below `low` as `low` and those above `high` as `high`."""
        self.low.fill_(low)
        self.high.fill_(high)


def best_limits(scores: Float64[Tensor, "B B"]) -> tuple[float, float]:
    """Limits (low, high) under which NWJ reads most from the log ratios `scores` of all pairs.

    Tried are quantiles of the scores of true pairs, and no floor. A ceiling is never above ln of
    the number of mixed pairs: there one of them alone takes a nat from the reading.
    """
    check_scores(scores)
    pairs = scores.shape[0] * (scores.shape[0] - 1)
    true, mixed = scores.diagonal(), without_diagonal(scores)

    def reading(low: float, high: float) -> float:
        total = mixed.clamp(max=high).exp().sum()
        if low > -math.inf:
            # The pair itself is no mixed one, and its masked score would count as the floor.
            total = mixed.clamp(low, high).exp().sum() - len(true) * math.exp(low)
        return float(true.clamp(low, high).mean() + 1 - total / pairs)

    most = math.log(pairs)
    levels = true.quantile(true.new_tensor(HIGH_SHARES)).tolist()
    ceilings = sorted({min(level + step, most) for level in levels for step in HIGH_STEPS})
    high = max(ceilings, key=lambda ceiling: reading(-math.inf, ceiling))
    bottoms = true.quantile(true.new_tensor(LOW_SHARES)).tolist()
    floors = [-math.inf, *(level - step for level in bottoms for step in LOW_STEPS)]
    low = max((floor for floor in floors if floor < high), key=lambda floor: reading(floor, high))
    return low, high
