"""Perceptrons with RMS normalisation, as the heads of a world model use them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from rl_info.nn.initialisation import fan_in_normal
from rl_info.nn.rms_silu import RMSSiLU


class MixedLinear(nn.Module):
    """Affine map whose product runs in the dtype of its input; parameters are float32."""

    def __init__(
        self, width_in: int, width_out: int, generator: torch.Generator, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(fan_in_normal((width_out, width_in), width_in, generator, scale))
        self.bias = nn.Parameter(torch.zeros(width_out))

    def forward(self, x: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """W x + b."""
        return linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class NormPerceptron(nn.Sequential):
    """`hidden_layers` of affine map, RMS normalisation and SiLU, then an affine output.

    `output_scale` 0 starts the output at zero, as DreamerV3 does for rewards and values.
    """

    def __init__(
        self,
        width_in: int,
        hidden_dim: int,
        hidden_layers: int,
        width_out: int,
        generator: torch.Generator,
        output_scale: float = 1.0,
    ) -> None:
        layers: list[nn.Module] = []
        for _ in range(hidden_layers):
            layers += [MixedLinear(width_in, hidden_dim, generator), RMSSiLU(hidden_dim)]
            width_in = hidden_dim
        super().__init__(*layers, MixedLinear(width_in, width_out, generator, output_scale))
