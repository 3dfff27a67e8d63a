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

    input_weight: Float[Tensor, "E I H"]
    weights: list[Float[Tensor, "E H H"]]
    """Weights between hidden layers."""
    biases: list[Float[Tensor, "E 1 H"]]
    """Biases of all hidden layers but the first."""
    output_weight: Float[Tensor, "E P H"]
    output_bias: Float[Tensor, "E P 1"]


@dataclass(frozen=True)
class StackedLayout:
    """Sizes of E perceptrons of one shape, and the order of their tensors in a flat buffer.

    The weights between hidden layers come first and next to each other: they are the part that a
    low precision copies. Biases come last, so that the weights stay aligned in memory.

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
    def shapes(self) -> list[tuple[int, int, int]]:
        """Shape of every tensor, in the order of the flat buffer."""
        E, H, P = self.members, self.hidden_dim, self.outputs
        between = self.hidden_layers - 1
        weights = [(E, H, H)] * between + [(E, self.inputs, H), (E, P, H)]
        return [*weights, *[(E, 1, H)] * between, (E, P, 1)]

    @cached_property
    def sizes(self) -> list[int]:
        """Number of elements of every tensor, in the order of the flat buffer."""
        return [math.prod(shape) for shape in self.shapes]

    @property
    def square_size(self) -> int:
        """Number of leading elements that are weights between hidden layers."""
        return sum(self.sizes[: self.hidden_layers - 1])

    def squares(self, flat: Float[Tensor, " _S"]) -> list[Float[Tensor, "E H H"]]:
        """The weights between hidden layers inside a buffer that holds nothing else."""
        shape = (self.members, self.hidden_dim, self.hidden_dim)
        return [part.view(shape) for part in flat.split(math.prod(shape))] if len(flat) else []

    def layers(self, flat: Float[Tensor, " F"]) -> StackedLayers:
        """The tensors inside a flat buffer, as views."""
        parts = flat.split(self.sizes)
        views = [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]
        between = self.hidden_layers - 1
        return StackedLayers(
            input_weight=views[between],
            weights=views[:between],
            biases=views[between + 2 : -1],
            output_weight=views[between + 1],
            output_bias=views[-1],
        )
