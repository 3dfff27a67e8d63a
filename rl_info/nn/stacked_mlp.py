"""E perceptrons of one shape, stored in one buffer and run as batched products."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.flat_gradient import FlatGradient
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
    signs: list[Float[Tensor, "E B H"]]
    """Hidden layers in the precision of their gradient, positive where the ReLU lets it pass."""
    norms: list[tuple[Tensor, ...]]
    """Of each hidden layer the values before layer norm, their means and inverse deviations."""

    def first(self, count: int) -> Tape:
        """The pass of the first `count` inputs."""
        return Tape(
            self.output[..., :count],
            self.inputs[:, :count],
            [value[:, :count] for value in self.hidden],
            [value[:, :count] for value in self.signs],
            [tuple(part[:, :count] for part in norm) for norm in self.norms],
        )


class StackedMLP(nn.Module):
    """Maps one input (B, I) to the outputs (E, P, B) of E independent ReLU networks.

    All parameters are views into the single parameter `flat`, so that an optimiser step, a
    gradient norm or a moving average is one kernel. The first layer has no bias: give the input a
    constant column instead, which makes it part of the product. Weights start orthogonal (hidden
    gain √2, output gain `output_gain`), biases zero.

    `layer_norm` standardises every hidden layer before its ReLU, without gain and offset: the next
    layer can absorb a positive gain. `precision` "bfloat16" rounds the operands of the products
    between hidden layers, nearly all of the arithmetic, and the gradients of their weights; inputs,
    outputs and parameters stay float32.

    Gradients are written out rather than left to autograd, whose book-keeping takes a good part of
    the time of a small network. After any change to `flat` other than `load_state_dict`, call
    `refresh`, which renews the rounded copy of the weights, or renew `rounded` along with it.
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
        self.rounds = self.dtype != torch.float32
        flat = torch.zeros(sum(layout.sizes), device=generator.device)
        layers = layout.layers(flat)
        for weight in (layers.input_weight, *layers.weights, layers.output_weight):
            gain = output_gain if weight is layers.output_weight else math.sqrt(2.0)
            for member in weight:
                nn.init.orthogonal_(member, gain=gain, generator=generator)
        self.flat = nn.Parameter(flat, requires_grad=False)
        self._bind()
        self.register_load_state_dict_post_hook(lambda module, keys: module.refresh())

    def refresh(self) -> None:
        """Make what the products work on agree with `flat`."""
        if self._origin != self.flat.data_ptr():
            self._bind()
        elif self.rounds:
            self._rounded.copy_(self.flat[: self.layout.square_size])

    @property
    def rounded(self) -> Float[Tensor, " S"] | None:
        """The weights between hidden layers in bfloat16, if the products round."""
        return self._rounded if self.rounds else None

    def _bind(self) -> None:
        """Take views of `flat` where it is now, and buffers of its size beside it."""
        self._layers = self.layout.layers(self.flat)
        if self.rounds:
            self._rounded = self.flat[: self.layout.square_size].to(self.dtype)
            self._layers = replace(self._layers, weights=self.layout.squares(self._rounded))
        # Gain 1 and offset 0: without them the operation is slower, and rounds its statistics.
        width = self.layout.hidden_dim
        self._identity = self.flat.new_ones(width), self.flat.new_zeros(width)
        gradient = torch.empty_like(self.flat)
        self._gradients = self.layout.layers(gradient)
        self._gradient = FlatGradient(None, gradient)
        if self.rounds:
            low = torch.empty_like(self._rounded)
            self._gradients = replace(self._gradients, weights=self.layout.squares(low))
            self._gradient = FlatGradient(low, gradient[self.layout.square_size :])
        self._origin = self.flat.data_ptr()

    def forward(self, inputs: Float[Tensor, "B I"]) -> Float[Tensor, "E P B"]:
        """Outputs of all members, float32, without gradients."""
        return self.run(inputs).output

    def run(self, inputs: Float[Tensor, "B I"]) -> Tape:
        """Outputs of all members and what `gradient` and `input_gradient` need."""
        if self._origin != self.flat.data_ptr():
            self._bind()  # A copy of the module, or one that moved to another device.
        layers = self._layers
        shared = inputs.expand(self.layout.members, -1, -1)
        value = torch.bmm(shared, layers.input_weight)
        hidden: list[Tensor] = []
        signs: list[Tensor] = []
        norms: list[tuple[Tensor, ...]] = []
        for layer in range(self.layout.hidden_layers):
            if layer > 0:
                value = self._affine(hidden[-1], layer - 1)
            if self.layer_norm:
                before = value
                value, *statistics = aten.native_layer_norm(
                    before, before.shape[-1:], *self._identity, LAYER_NORM_EPS
                )
                norms.append((before, *statistics))
            if layer == self.layout.hidden_layers - 1:
                signs.append(value)
                value = value.float().relu_()
            else:
                value = value.relu_().to(self.dtype)
                signs.append(value)
            hidden.append(value)
        output = torch.baddbmm(layers.output_bias, layers.output_weight, value.mT)
        return Tape(output, shared, hidden, signs, norms)

    def _affine(self, value: Float[Tensor, "E B H"], layer: int) -> Float[Tensor, "E B H"]:
        weight, bias = self._layers.weights[layer], self._layers.biases[layer]
        if self.rounds:
            return torch.baddbmm(bias.to(self.dtype), value, weight)
        # In float32 baddbmm would first spread the bias over the result.
        return torch.bmm(value, weight).add_(bias)

    def gradient(self, tape: Tape, output: Float[Tensor, "E P B"]) -> FlatGradient:
        """Gradient of `flat`, given that of the output; the next call overwrites it."""
        grads = self._gradients
        torch.bmm(output, tape.hidden[-1], out=grads.output_weight)
        torch.sum(output, dim=-1, keepdim=True, out=grads.output_bias)
        first = self._backward(tape, output, grads)
        torch.bmm(tape.inputs.mT, first, out=grads.input_weight)
        return self._gradient

    def input_gradient(
        self, tape: Tape, output: Float[Tensor, "E P B"], trailing: int
    ) -> Float[Tensor, "B _J"]:
        """Gradient of the last `trailing` inputs, given that of the output."""
        first = self._backward(tape, output)
        return torch.bmm(first, self._layers.input_weight[:, -trailing:].mT).sum(dim=0)

    def _backward(
        self, tape: Tape, output: Float[Tensor, "E P B"], grads: StackedLayers | None = None
    ) -> Float[Tensor, "E B H"]:
        """Gradient of the first layer before its ReLU; fills `grads` between hidden layers."""
        layers = self._layers
        precision = tape.signs[-1].dtype
        weight = layers.output_weight.to(precision)
        grad = torch.bmm(output.mT.to(precision), weight)
        for layer in reversed(range(self.layout.hidden_layers)):
            _pass_where_positive(grad, tape.signs[layer])
            if layer == 0:
                grad = grad.float()
            if self.layer_norm:
                before, mean, inverse_std = tape.norms[layer]
                grad, _, _ = aten.native_layer_norm_backward(
                    grad, before, before.shape[-1:], mean, inverse_std, *self._identity,
                    [True, False, False],
                )  # fmt: skip
            if layer > 0:
                if grads is not None:
                    self._fill(grads, layer - 1, tape.hidden[layer - 1], grad)
                grad = torch.bmm(grad, layers.weights[layer - 1].mT)
        return grad

    def _fill(
        self,
        grads: StackedLayers,
        layer: int,
        value: Float[Tensor, "E B H"],
        grad: Float[Tensor, "E B H"],
    ) -> None:
        weight, bias = grads.weights[layer], grads.biases[layer]
        torch.bmm(value.mT, grad, out=weight)
        torch.sum(grad, dim=1, keepdim=True, dtype=bias.dtype, out=bias)


def _pass_where_positive(grad: Float[Tensor, "E B H"], sign: Float[Tensor, "E B H"]) -> None:
    """Set `grad` to 0 in place where `sign`, of the same type, is not positive."""
    if grad.dtype == torch.bfloat16:
        # Read as integers, bfloat16 numbers keep their signs, and the operation is 3 times faster.
        grad, sign = grad.view(torch.int16), sign.view(torch.int16)
    aten.threshold_backward.grad_input(grad, sign, 0, grad_input=grad)
