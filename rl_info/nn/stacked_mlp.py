"""E perceptrons of one shape, stored in one buffer and run as batched products."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rl_info.nn.stacked_layout import StackedLayers, StackedLayout

Precision = Literal["float32", "bfloat16"]
PRODUCT_DTYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
}
LAYER_NORM_EPS = 1e-5
aten = torch.ops.aten


@dataclass(frozen=True)
class Tape:
    """A forward pass: its output and what its gradients need."""

    output: Float[Tensor, "E P B"]
    inputs: Float[Tensor, "E B I"]
    hidden: list[Float[Tensor, "E B H"]]
    """Hidden layers after their ReLU; the last one in float32."""
    norms: list[tuple[Tensor, Tensor, Tensor]]
    """Of each hidden layer the values before layer norm, their means and inverse deviations."""


class StackedMLP(nn.Module):
    """Maps one input (B, I) to the outputs (E, P, B) of E independent ReLU networks.

    All parameters are views into the single parameter `flat`, so that an optimiser step, a
    gradient norm or a moving average is one kernel. The first layer has no bias: give the input a
    constant column instead, which makes it part of the product. Weights start orthogonal (hidden
    gain √2, output gain `output_gain`), biases zero.

    `layer_norm` standardises every hidden layer before its ReLU, without gain and offset: the next
    layer can absorb a positive gain. `precision` "bfloat16" rounds the operands of the products
    between hidden layers, nearly all of the arithmetic; inputs, outputs, parameters and gradients
    stay float32.

    Call it like any module, differentiably. Where the book-keeping of autograd counts, use `run`
    with `gradient` and `input_gradient`, and after any change to `flat` call `refresh`, which
    renews the rounded copy of the weights.
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
        self.dtype = PRODUCT_DTYPES[precision]
        flat = torch.zeros(sum(layout.sizes), device=generator.device)
        layers = layout.layers(flat)
        for weight in (layers.input_weight, *layers.weights, layers.output_weight):
            gain = output_gain if weight is layers.output_weight else math.sqrt(2.0)
            for member in weight:
                nn.init.orthogonal_(member, gain=gain, generator=generator)
        self.flat = nn.Parameter(flat)
        self._rounded = flat[: layout.square_size].to(self.dtype)
        self.refresh()
        self.register_load_state_dict_post_hook(lambda module, keys: module.refresh())

    @torch.no_grad()
    def refresh(self) -> None:
        """Make what the products work on agree with `flat`."""
        layers = self.layout.layers(self.flat)
        if self.dtype != self.flat.dtype:
            self._rounded = self._rounded.to(self.flat.device)
            self._rounded.copy_(self.flat[: self.layout.square_size])
            layers = replace(layers, weights=self.layout.squares(self._rounded))
        self._layers, self._origin = layers, self.flat.data_ptr()

    def forward(self, inputs: Float[Tensor, "B I"]) -> Float[Tensor, "E P B"]:
        """Outputs of all members, float32; differentiable once."""
        self.refresh()
        return _Differentiable.apply(inputs, self.flat, self)

    @torch.no_grad()
    def run(self, inputs: Float[Tensor, "B I"]) -> Tape:
        """Outputs of all members and what `gradient` and `input_gradient` need."""
        if self._origin != self.flat.data_ptr():
            self.refresh()  # A copy of the module, or one that moved to another device.
        layers = self._layers
        shared = inputs.expand(self.layout.members, -1, -1)
        value = torch.bmm(shared, layers.input_weight)
        hidden: list[Tensor] = []
        norms: list[tuple[Tensor, Tensor, Tensor]] = []
        last = self.layout.hidden_layers - 1
        for layer in range(self.layout.hidden_layers):
            if layer > 0:
                bias = layers.biases[layer - 1].to(self.dtype)
                value = torch.baddbmm(bias, value, layers.weights[layer - 1])
            if self.layer_norm:
                before = value
                value, *statistics = aten.native_layer_norm(
                    before, before.shape[-1:], None, None, LAYER_NORM_EPS
                )
                norms.append((before, *statistics))
            value = value.to(self.flat.dtype if layer == last else self.dtype).relu_()
            hidden.append(value)
        output = torch.baddbmm(layers.output_bias, layers.output_weight, value.mT)
        return Tape(output, shared, hidden, norms)

    @torch.no_grad()
    def gradient(self, tape: Tape, output: Float[Tensor, "E P B"]) -> Float[Tensor, " F"]:
        """Gradient of `flat`, given that of the output."""
        flat = torch.empty_like(self.flat)
        self._backward(tape, output, self.layout.layers(flat))
        return flat

    @torch.no_grad()
    def input_gradient(
        self, tape: Tape, output: Float[Tensor, "E P B"], trailing: int
    ) -> Float[Tensor, "B _J"]:
        """Gradient of the last `trailing` inputs, given that of the output."""
        return self._input_gradient(self._backward(tape, output, None), trailing)

    def _input_gradient(
        self, first: Float[Tensor, "E B H"], trailing: int
    ) -> Float[Tensor, "B _J"]:
        return torch.bmm(first, self._layers.input_weight[:, -trailing:].mT).sum(dim=0)

    def _backward(
        self, tape: Tape, output: Float[Tensor, "E P B"], grads: StackedLayers | None
    ) -> Float[Tensor, "E B H"]:
        """Fill `grads`, if given; returns the gradient of the first layer before its ReLU."""
        layers = self._layers
        if grads is not None:
            torch.bmm(output, tape.hidden[-1], out=grads.output_weight)
            torch.sum(output, dim=-1, keepdim=True, out=grads.output_bias)
        grad = torch.bmm(output.mT, layers.output_weight)
        for layer in reversed(range(self.layout.hidden_layers)):
            aten.threshold_backward.grad_input(grad, tape.hidden[layer], 0, grad_input=grad)
            grad = grad.to(self.dtype if layer > 0 else self.flat.dtype)
            if self.layer_norm:
                before, mean, inverse_std = tape.norms[layer]
                grad, _, _ = aten.native_layer_norm_backward(
                    grad, before, before.shape[-1:], mean, inverse_std, None, None,
                    [True, False, False],
                )  # fmt: skip
            if layer > 0:
                if grads is not None:
                    _product_into(grads.weights[layer - 1], tape.hidden[layer - 1].mT, grad)
                    torch.sum(
                        grad, dim=1, keepdim=True, dtype=torch.float32, out=grads.biases[layer - 1]
                    )
                grad = torch.bmm(grad, layers.weights[layer - 1].mT)
        if grads is not None:
            torch.bmm(tape.inputs.mT, grad, out=grads.input_weight)
        return grad


class _Differentiable(torch.autograd.Function):
    """A pass of the stack as a node of autograd."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, flat: Tensor, net: StackedMLP) -> Tensor:
        ctx.net, ctx.tape = net, net.run(inputs)
        return ctx.tape.output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, output: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        net: StackedMLP = ctx.net
        needs_inputs, needs_flat, _ = ctx.needs_input_grad
        flat = torch.empty_like(net.flat) if needs_flat else None
        grads = None if flat is None else net.layout.layers(flat)
        first = net._backward(ctx.tape, output, grads)
        inputs = net._input_gradient(first, net.layout.inputs) if needs_inputs else None
        return inputs, flat, None


def _product_into(target: Tensor, left: Tensor, right: Tensor) -> None:
    """Batched product left·right, written to the float32 `target`."""
    if left.dtype == target.dtype:
        torch.bmm(left, right, out=target)
    else:
        target.copy_(torch.bmm(left, right))
