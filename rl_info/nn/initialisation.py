"""How weights of the world model start."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.init import trunc_normal_

TRUNCATED_DEVIATION = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2."""


def fan_in_normal(
    shape: tuple[int, ...], fan_in: int, generator: torch.Generator, scale: float = 1.0
) -> Tensor:
    """Truncated normal numbers of variance scale² / fan_in, as DreamerV3 starts its weights."""
    weight = torch.empty(shape)
    std = 1.0 / math.sqrt(fan_in) / TRUNCATED_DEVIATION
    trunc_normal_(weight, std=std, a=-2.0 * std, b=2.0 * std, generator=generator)
    return weight.mul_(scale)
