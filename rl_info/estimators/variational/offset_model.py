"""A model that scores pairs and has a second network beside it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.critics import CriticSize
from rl_info.estimators.variational.ratio_model import RatioModel
from rl_info.nn.perceptron import perceptron


class OffsetModel(nn.Module):
    """Scores of all pairs and ln a(x), a perceptron of x alone that starts at 0."""

    def __init__(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        self.ratio = ratio
        self.offset = perceptron(
            size.width_x, size.hidden_dim, size.hidden_layers, 1, generator, output_gain=0.0
        )

    def forward(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> tuple[Float[Tensor, "N N"], Float[Tensor, N]]:
        """Scores and ln a(x_i)."""
        return self.ratio(x, y), self.offset(x).squeeze(-1)
