"""The plain network that rewards learn with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


def mlp(sizes: Sequence[int], *, generator: torch.Generator) -> nn.Sequential:
    """Linear maps with ReLU between them; Xavier-uniform weights from `generator`, zero biases."""
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(sizes):
        layer = nn.utils.skip_init(nn.Linear, width_in, width_out)
        nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
