"""RMS normalisation followed by SiLU, with a backward pass that keeps little."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-4
"""Added to the mean square, as in DreamerV3."""


def rms_silu_forward(
    x: Float[Tensor, "*B D"], gain: Float[Tensor, " D"]
) -> tuple[Float[Tensor, "*B D"], Float[Tensor, "*B D"], Float[Tensor, "*B 1"]]:
    """silu(gain · x / rms(x)); the normalised x and 1 / rms(x), which the backward pass needs."""
    mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    scale = mean_square.add_(EPSILON).rsqrt_()
    normal = x * scale
    return torch.nn.functional.silu(normal * gain), normal, scale


def rms_silu_backward(
    slope: Float[Tensor, "*B D"],
    normal: Float[Tensor, "*B D"],
    scale: Float[Tensor, "*B 1"],
    gain: Float[Tensor, " D"],
) -> tuple[Float[Tensor, "*B D"], Float[Tensor, "*B D"]]:
    """Gradient of x, and what summed over rows is the gradient of the gain."""
    outer = torch.ops.aten.silu_backward(slope, normal * gain)
    of_gain = outer * normal
    inner = outer.mul_(gain)
    along = torch.linalg.vecdot(inner, normal).unsqueeze(-1).div_(normal.shape[-1])
    return inner.addcmul_(normal, along, value=-1.0).mul_(scale), of_gain


class RMSSiLUFunction(torch.autograd.Function):
    """The pair of both passes; keeps the normalised input alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor) -> Tensor:
        """Forward pass in the dtype of x, the gain cast to it."""
        gain = gain.to(x.dtype)
        out, normal, scale = rms_silu_forward(x, gain)
        ctx.save_for_backward(normal, scale, gain)
        return out

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of x and of the gain."""
        normal, scale, gain = ctx.saved_tensors
        of_x, of_gain = rms_silu_backward(slope, normal, scale, gain)
        rows = of_gain.reshape(-1, of_gain.shape[-1])
        return of_x, rows.sum(dim=0, dtype=torch.promote_types(rows.dtype, torch.float32))


class RMSSiLU(nn.Module):
    """silu(gain · x / √(mean x² + 1e-4)) over the last dimension, the gain starting at 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Normalise each row and pass it through SiLU."""
        out: Tensor = RMSSiLUFunction.apply(x, self.gain)
        return out
