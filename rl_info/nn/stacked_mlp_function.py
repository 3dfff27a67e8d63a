"""Forward and backward pass of a stack of perceptrons, written out.

Autograd would keep and revisit a node for every bias, activation and view; at 256 units that
book-keeping takes a large part of the time.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from rl_info.nn.stacked_layout import StackedLayout

aten = torch.ops.aten
LAYER_NORM_EPS = 1e-5


class StackedMLPFunction(torch.autograd.Function):
    """(inputs (B, I), flat parameters (F,)) -> outputs (E, B, P), differentiable once."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Float[Tensor, "B I"],
        flat: Float[Tensor, " F"],
        layout: StackedLayout,
        squares: list[Float[Tensor, "E H H"]],
        layer_norm: bool,
    ) -> Float[Tensor, "E B P"]:
        """Run the stack with the weights between hidden layers in the precision of `squares`."""
        layers = layout.layers(flat)
        value: Tensor = inputs.expand(layout.members, *inputs.shape)
        saved: list[Tensor] = []
        for weight, bias in zip([layers.weights[0], *squares], layers.biases, strict=True):
            operand = value.to(weight.dtype)
            value = torch.baddbmm(bias.to(weight.dtype), operand, weight)
            statistics: tuple[Tensor, ...] = ()
            if layer_norm:
                before = value
                value, mean, inverse_std = aten.native_layer_norm(
                    before, before.shape[-1:], None, None, LAYER_NORM_EPS
                )
                statistics = (before, mean, inverse_std)
            value = value.relu_()
            saved += [operand, value, weight, *statistics]
        value = value.float()
        ctx.save_for_backward(value, layers.output_weight, *saved)
        ctx.layout, ctx.layer_norm = layout, layer_norm
        return torch.baddbmm(layers.output_bias, value, layers.output_weight)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_output: Float[Tensor, "E B P"]
    ) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        """Gradients of the inputs and of the flat parameters, each only if it is needed."""
        layout: StackedLayout = ctx.layout
        value, output_weight, *saved = ctx.saved_tensors
        needs_inputs, needs_flat, *_ = ctx.needs_input_grad
        flat_grad = grads = None
        if needs_flat:
            flat_grad = grad_output.new_empty(sum(layout.sizes))
            grads = layout.layers(flat_grad)
            torch.bmm(value.transpose(1, 2), grad_output, out=grads.output_weight)
            torch.sum(grad_output, dim=1, keepdim=True, out=grads.output_bias)
        grad = torch.bmm(grad_output, output_weight.transpose(1, 2))
        per_layer = len(saved) // layout.hidden_layers
        for layer in reversed(range(layout.hidden_layers)):
            operand, activation, weight, *statistics = saved[layer * per_layer :][:per_layer]
            grad = aten.threshold_backward(grad.to(activation.dtype), activation, 0)
            if ctx.layer_norm:
                before, mean, inverse_std = statistics
                grad, _, _ = aten.native_layer_norm_backward(
                    grad, before, before.shape[-1:], mean, inverse_std, None, None,
                    [True, False, False],
                )  # fmt: skip
            if grads is not None:
                _product_into(grads.weights[layer], operand.transpose(1, 2), grad)
                torch.sum(grad, dim=1, keepdim=True, dtype=torch.float32, out=grads.biases[layer])
            if layer > 0 or needs_inputs:
                grad = torch.bmm(grad, weight.transpose(1, 2))
        inputs_grad = grad.sum(dim=0) if needs_inputs else None
        return inputs_grad, flat_grad, None, None, None


def _product_into(target: Tensor, left: Tensor, right: Tensor) -> None:
    """Batched product left·right, written to the float32 `target`."""
    if left.dtype == target.dtype:
        torch.bmm(left, right, out=target)
    else:
        target.copy_(torch.bmm(left, right))
