"""The multiplier of a constraint, learned on a logarithmic scale."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LogMultiplier(nn.Module):
    """λ > 0 of a constraint C ≥ c0: ln λ ← ln λ − η (C − c0), kept within ±`bound`.

    Multiplicative dual descent: λ grows by the factor e^{η(c0 − C)} while the constraint is
    broken and shrinks while it holds with slack. InfoPower prints λ ← max(0, λ − η(C − c0)) with
    other subscripts; on a logarithmic scale λ stays positive without a projection, and one η
    serves multipliers of any size (RePo, NeurIPS 2023, learns ln λ too). The step is outside the
    optimiser, which would rescale it.

    Raises ValueError unless `initial` is positive and η is not negative.
    """

    log_multiplier: Tensor

    def __init__(self, initial: float, learning_rate: float, bound: float = 10.0) -> None:
        super().__init__()
        if not 0 < initial < math.inf:
            raise ValueError(f"a multiplier must start above 0, got {initial}")
        if not 0 <= learning_rate < math.inf:
            raise ValueError(f"the multiplier's step must not be negative, got {learning_rate}")
        self.learning_rate, self.bound = learning_rate, bound
        start = torch.tensor(math.log(initial), dtype=torch.float64)
        self.register_buffer("log_multiplier", start)

    @property
    def value(self) -> Float[Tensor, ""]:
        """λ, float32."""
        return self.log_multiplier.exp().float()

    @torch.no_grad()
    def step(self, slack: Float[Tensor, ""]) -> None:
        """One dual step for the slack C − c0."""
        step = self.learning_rate * slack.to(self.log_multiplier.dtype)
        self.log_multiplier.sub_(step).clamp_(-self.bound, self.bound)
