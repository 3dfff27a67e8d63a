"""E perceptrons of one shape, stored in one buffer and run as batched products."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp_function import StackedMLPFunction

Precision = Literal["float32", "bfloat16"]


class StackedMLP(nn.Module):
    """Maps one input (B, I) to the outputs (E, B, P) of E independent ReLU networks.

    All parameters are views into the single parameter `flat`, so that an optimiser step, a
    gradient norm or a moving average is one kernel. `precision` "bfloat16" rounds the operands of
    the hidden-to-hidden products (nearly all of the arithmetic) and keeps master weights, inputs,
    outputs and gradients in float32. `layer_norm` standardises every hidden layer before its ReLU,
    without gain and offset: the next layer can absorb a positive gain.

    Weights start orthogonal (hidden gain √2, output gain `output_gain`), biases zero.
    """

    def __init__(
        self,
        layout: StackedLayout,
        *,
        generator: torch.Generator,
        layer_norm: bool = False,
        precision: Precision = "float32",
        output_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.layer_norm = layer_norm
        self.precision = precision
        self.flat = nn.Parameter(torch.zeros(sum(layout.sizes), device=generator.device))
        for name, view in layout.views(self.flat.detach()).items():
            if name.endswith("weight"):
                gain = output_gain if name.startswith("output") else math.sqrt(2.0)
                for member in view:
                    nn.init.orthogonal_(member, gain=gain, generator=generator)

    def forward(
        self, inputs: Float[Tensor, "B I"], *, frozen: bool = False
    ) -> Float[Tensor, "E B P"]:
        """Outputs of all members, float32.

        With `frozen`, gradients flow to `inputs` only and none is computed for the parameters.
        """
        flat = self.flat.detach() if frozen else self.flat
        return StackedMLPFunction.apply(
            inputs, flat, self.layout, self._square_weights(), self.layer_norm
        )

    def _square_weights(self) -> list[Float[Tensor, "E H H"]]:
        values = self.flat.detach()[: self.layout.square_size]
        # Rounded anew at each call: fused optimisers change parameters without raising their
        # version, so a kept copy could not know that it is stale.
        return self.layout.squares(values.bfloat16() if self.precision == "bfloat16" else values)
