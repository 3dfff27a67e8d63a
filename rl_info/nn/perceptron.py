"""The plain perceptron that rewards and estimators learn with."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn


def perceptron(
    width_in: int,
    hidden_dim: int,
    hidden_layers: int,
    width_out: int,
    generator: torch.Generator,
    output_gain: float = 1.0,
) -> nn.Sequential:
    """ReLU perceptron with `hidden_layers` layers of `hidden_dim` units.

    Weights start orthogonal (gain √2 in hidden layers, `output_gain` in the last), drawn from
    `generator`; biases zero.
    Always float32: a displacement φ(s') − φ(s) is a small difference of large numbers, which
    bfloat16 would drown in rounding.

    Raises ValueError if a size is below 1.
    """
    sizes = (width_in, *[hidden_dim] * hidden_layers, width_out)
    if hidden_layers < 1 or min(sizes) < 1:
        raise ValueError(f"a network needs sizes of at least 1, got {hidden_layers=}, {sizes=}")
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
        gain = math.sqrt(2.0) if index < hidden_layers else output_gain
        nn.init.orthogonal_(layer.weight, gain=gain, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
