"""The plain network that rewards learn with."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import StackedMLP


class Network(nn.Module):
    """One ReLU perceptron with `hidden_layers` layers of `hidden_dim` units.

    Always float32: a displacement φ(s') − φ(s) is a small difference of large numbers, which
    bfloat16 would drown in rounding.
    """

    def __init__(
        self,
        width_in: int,
        hidden_dim: int,
        hidden_layers: int,
        width_out: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        layout = StackedLayout(1, width_in, hidden_dim, hidden_layers, width_out)
        self.stack = StackedMLP(layout, generator=generator)

    def forward(self, value: Float[Tensor, "B I"]) -> Float[Tensor, "B P"]:
        """Output of the network."""
        return self.stack(value)[0]
