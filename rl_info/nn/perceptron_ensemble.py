"""Perceptrons of one shape that run as batched products and are differentiated by autograd."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


class PerceptronEnsemble(nn.Module):
    """E independent ReLU perceptrons with stacked parameters: one product for each layer.

    Weights start orthogonal (gain √2 in hidden layers, 1 in the last), each member's drawn anew
    from `generator`; biases zero. Unlike `StackedMLP` it goes through autograd, as the loss of a
    reward does.

    Raises ValueError if there is no member or a size is below 1.
    """

    def __init__(
        self,
        members: int,
        width_in: int,
        hidden_dim: int,
        hidden_layers: int,
        width_out: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        sizes = (width_in, *[hidden_dim] * hidden_layers, width_out)
        if hidden_layers < 1 or min(members, *sizes) < 1:
            raise ValueError(
                f"an ensemble needs sizes of at least 1, got {members=}, {hidden_layers=}, {sizes=}"
            )
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            weight = torch.empty(members, inputs, outputs)
            for member in weight:
                gain = math.sqrt(2.0) if index < hidden_layers else 1.0
                nn.init.orthogonal_(member, gain=gain, generator=generator)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(members, 1, outputs)))

    def forward(self, value: Float[Tensor, "*members B I"]) -> Float[Tensor, "E B O"]:
        """Outputs of all members for the same input (B, I), or of each for its own (E, B, I)."""
        last = len(self.weights) - 1
        hidden = value.expand(len(self.weights[0]), -1, -1)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if index < last:
                hidden = hidden.relu()
        return hidden
