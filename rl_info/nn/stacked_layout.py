"""Where the tensors of a stack of perceptrons lie in one flat buffer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class StackedLayers:
    """Tensors of a stack in the order of a forward pass, each with the member axis E first."""

    weights: list[Float[Tensor, "E _I _H"]]
    biases: list[Float[Tensor, "E 1 _H"]]
    output_weight: Float[Tensor, "E _H P"]
    output_bias: Float[Tensor, "E 1 P"]


@dataclass(frozen=True)
class StackedLayout:
    """Sizes of E perceptrons of one shape, and the order of their tensors in a flat buffer.

    The weights between hidden layers come first and next to each other: they are the part that a
    low precision copies. Weights come before biases, so that they stay aligned in memory.

    Raises ValueError for a size below 1.
    """

    members: int
    """Number E of networks."""
    inputs: int
    """Width I of the input, which all members share."""
    hidden_dim: int
    """Width H of the hidden layers."""
    hidden_layers: int
    """Number of hidden layers, at least 1."""
    outputs: int
    """Width P of each member's output."""

    def __post_init__(self) -> None:
        for name in ("members", "inputs", "hidden_dim", "hidden_layers", "outputs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(E, in, out) of every tensor by name, in the order of the flat buffer."""
        E, H = self.members, self.hidden_dim
        depth = range(self.hidden_layers)
        return {
            **{f"hidden.{layer}.weight": (E, H, H) for layer in depth[1:]},
            "hidden.0.weight": (E, self.inputs, H),
            "output.weight": (E, H, self.outputs),
            **{f"hidden.{layer}.bias": (E, 1, H) for layer in depth},
            "output.bias": (E, 1, self.outputs),
        }

    @cached_property
    def sizes(self) -> list[int]:
        """Number of elements of every tensor, in the order of the flat buffer."""
        return [math.prod(shape) for shape in self.shapes.values()]

    @property
    def square_size(self) -> int:
        """Number of leading elements that are weights between hidden layers."""
        return sum(self.sizes[: self.hidden_layers - 1])

    def views(self, flat: Float[Tensor, " F"]) -> dict[str, Float[Tensor, "E _I _O"]]:
        """The named (E, in, out) tensors inside a buffer."""
        parts = flat.split(self.sizes)
        pairs = zip(self.shapes.items(), parts, strict=True)
        return {name: part.view(shape) for (name, shape), part in pairs}

    def squares(self, flat: Float[Tensor, " _F"]) -> list[Float[Tensor, "E H H"]]:
        """Weights between hidden layers inside a buffer that need not hold anything else."""
        shape = (self.members, self.hidden_dim, self.hidden_dim)
        parts = flat[: self.square_size].split(math.prod(shape))
        return [part.view(shape) for part in parts] if self.square_size else []

    def layers(self, flat: Float[Tensor, " F"]) -> StackedLayers:
        """The same tensors in the order of a forward pass."""
        views = self.views(flat)
        depth = range(self.hidden_layers)
        return StackedLayers(
            weights=[views[f"hidden.{layer}.weight"] for layer in depth],
            biases=[views[f"hidden.{layer}.bias"] for layer in depth],
            output_weight=views["output.weight"],
            output_bias=views["output.bias"],
        )
