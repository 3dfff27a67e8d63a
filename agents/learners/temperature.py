"""The weight of the entropy."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Temperature(nn.Module):
    """A positive scalar α, held by its logarithm."""

    def __init__(self, initial: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(initial)), requires_grad=False)

    def forward(self) -> Float[Tensor, ""]:
        """α."""
        return self.log.exp()
