"""The size of a quantity that drifts while it is learned."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class RunningScale(nn.Module):
    """Moving average of the spread of K quantities, each seen as a batch of samples.

    The spread is the distance between the 5th and the 95th percentile, which a few outliers do not
    move (Hafner et al., arXiv 2301.04104, section on returns). Quantities that are not `enabled`
    keep scale 1. The average is corrected for its start, so the first batch sets the scale.
    """

    average: Tensor
    seen: Tensor
    enabled: Tensor

    def __init__(
        self, enabled: Bool[Tensor, " K"], rate: float = 0.01, minimum: float = 1e-2
    ) -> None:
        super().__init__()
        self.rate = rate
        self.minimum = minimum
        self.any_enabled = bool(enabled.any())
        self.register_buffer("enabled", enabled.clone(), persistent=False)
        self.register_buffer("average", torch.zeros(len(enabled)))
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def observe(self, values: Float[Tensor, "K B"]) -> None:
        """Let one batch of samples of each quantity count."""
        if not self.any_enabled:
            return
        ordered = values.sort(dim=-1).values
        last = values.shape[-1] - 1
        spread = ordered[:, round(0.95 * last)] - ordered[:, round(0.05 * last)]
        self.average.lerp_(spread, self.rate)
        self.seen.lerp_(torch.ones_like(self.seen), self.rate)

    def forward(self) -> Float[Tensor, " K"]:
        """Scale of each quantity, at least `minimum`; 1 before the first batch."""
        if not self.any_enabled:
            return torch.ones_like(self.average)
        scale = (self.average / self.seen.clamp_min(1e-12)).clamp_min(self.minimum)
        return torch.where(self.enabled & (self.seen > 0), scale, 1.0)
