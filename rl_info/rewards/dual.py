"""A constraint on an embedding by a multiplier that is learned with it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.rewards.base import Metrics


class DualConstraint(nn.Module):
    """Maximises an objective under slack ≥ 0 on each row, by dual descent on log λ.

    The embedding descends −(objective + λ·min(ε, slack)) with λ fixed; log λ descends
    log λ · min(ε, slack) with the slack fixed (METRA, arXiv 2310.08887, algorithm 1).

    Raises ValueError unless the initial λ is positive.
    """

    def __init__(self, initial: float, tolerance: float) -> None:
        super().__init__()
        if not 0 < initial < math.inf:
            raise ValueError(f"initial_multiplier must be > 0, got {initial}")
        self.tolerance = tolerance
        self.log_multiplier = nn.Parameter(torch.tensor(math.log(initial)))

    def forward(
        self, objective: Float[Tensor, " B"], slack: Float[Tensor, " B"]
    ) -> tuple[Float[Tensor, ""], Metrics]:
        """The sum of both losses, whose gradients are disjoint, and metrics."""
        slack = slack.clamp_max(self.tolerance)
        multiplier = self.log_multiplier.exp().detach()
        mean_slack = slack.detach().mean()
        loss = self.log_multiplier * mean_slack - (objective + multiplier * slack).mean()
        return loss, {"multiplier": multiplier, "constraint_slack": mean_slack}
