"""Scaling of gradients, so that a head learns at full strength what moves its input at another."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return slope * factor, None


def scale_gradient(x: Float[Tensor, "*B"], factor: Float[Tensor, ""]) -> Float[Tensor, "*B"]:
    """x itself, whose gradient is multiplied by `factor` on its way back."""
    out: Tensor = _ScaleGradient.apply(x, factor.detach().to(x.dtype))
    return out
