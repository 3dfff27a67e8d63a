"""Mean and variance of a stream of vectors."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RunningNormaliser(nn.Module):
    """Standardises vectors by the mean and variance of all rows shown to `observe`.

    Statistics are float64 buffers (so that millions of rows do not stall them) and are part of the
    state dict. Until the first row it is the identity; a dimension that has not varied is only
    centred. Outputs are clipped to ±`clip` standard deviations.

    With `isotropic`, all dimensions are divided by one number, the root of their mean variance, so
    that distances keep their shape: right for dimensions of one unit, such as a place in metres.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor
    shift: Tensor
    inverse_std: Tensor

    def __init__(self, width: int, clip: float = 10.0, isotropic: bool = False) -> None:
        super().__init__()
        self.clip = clip
        self.isotropic = isotropic
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("inverse_std", torch.ones(width))

    @torch.no_grad()
    def observe(self, rows: Float[Tensor, "B D"]) -> None:
        """Merge a batch into the statistics (Chan, Golub and LeVeque's pairwise update)."""
        if not len(rows):
            return
        values = rows.double()
        total = self.count + len(values)
        delta = values.mean(dim=0) - self.mean
        self.squares += (values - values.mean(dim=0)).square().sum(dim=0)
        self.squares += delta.square() * (self.count * len(values) / total)
        self.mean += delta * (len(values) / total)
        self.count.copy_(total)
        variance = self.squares / total
        if self.isotropic:
            variance = variance.mean().expand_as(variance)
        std = variance.sqrt()
        self.shift.copy_(self.mean)
        self.inverse_std.copy_(torch.where(std > 1e-6, 1.0 / std, 1.0))

    def forward(self, rows: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Standardise float32 rows."""
        return ((rows - self.shift) * self.inverse_std).clamp(-self.clip, self.clip)
