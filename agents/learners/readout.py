"""How the values of K critics are read from their outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Readout(Protocol):
    """The linear map from the P outputs of K critics to their values, one for each of B steps."""

    def values(self, outputs: Float[Tensor, "*E P B"]) -> Float[Tensor, "*E K B"]:
        """The value that each critic's outputs stand for."""
        ...

    def spread(self, values: Float[Tensor, "*E K B"]) -> Float[Tensor, "*E P B"]:
        """Gradient of the outputs, given that of the values."""
        ...

    def least(self, outputs: Float[Tensor, "E P B"]) -> Float[Tensor, "P B"]:
        """Of each critic the outputs of the ensemble member with the least value."""
        ...

    def to_outputs(self, numbers: Float[Tensor, "K 1"]) -> Float[Tensor, "P 1"]:
        """A number of each critic for each of its outputs; 0 for an output that none uses."""
        ...

    def to_values(self, numbers: Float[Tensor, "K C"]) -> Float[Tensor, "P C"]:
        """A number of each critic for the output that is its value; 0 for a feature.

        It is the same for all steps (C = 1), or each step has its own (C = B).
        """
        ...

    def total(self, numbers: Float[Tensor, " P"]) -> Float[Tensor, " K"]:
        """Sum of each critic's numbers over its outputs."""
        ...

    def rows(self, index: Int[Tensor, " M"]) -> Readout:
        """The readout of some of the steps."""
        ...


class ScalarReadout:
    """Every critic has one output, which is its value (P = K)."""

    def values(self, outputs: Float[Tensor, "*E K B"]) -> Float[Tensor, "*E K B"]:
        """The outputs."""
        return outputs

    def spread(self, values: Float[Tensor, "*E K B"]) -> Float[Tensor, "*E K B"]:
        """The same gradient."""
        return values

    def least(self, outputs: Float[Tensor, "E K B"]) -> Float[Tensor, "K B"]:
        """The least value."""
        return outputs.amin(dim=0)

    def to_outputs(self, numbers: Float[Tensor, "K 1"]) -> Float[Tensor, "K 1"]:
        """The same numbers."""
        return numbers

    def to_values(self, numbers: Float[Tensor, "K C"]) -> Float[Tensor, "K C"]:
        """The same numbers."""
        return numbers

    def total(self, numbers: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
        """The same numbers."""
        return numbers

    def rows(self, index: Int[Tensor, " M"]) -> ScalarReadout:
        """Itself."""
        return self


SCALARS = ScalarReadout()


@dataclass(frozen=True)
class FeatureReadout:
    """Every critic has F outputs (P = K·F), of which some are successor features ψ: Q = ψᵀw.

    A critic with fewer features than F leaves its last outputs unused, one of a value uses its
    first output alone.
    """

    weight: Float[Tensor, "K F B"]
    """w; 0 for outputs that are not used."""
    used: Float[Tensor, "K F"]
    """1 for outputs that are used, else 0."""
    is_value: Float[Tensor, "K F"]
    """1 for outputs that are themselves a value, else 0."""

    def values(self, outputs: Float[Tensor, "*E P B"]) -> Float[Tensor, "*E K B"]:
        """ψᵀw."""
        return (outputs.unflatten(-2, self.used.shape) * self.weight).sum(dim=-2)

    def spread(self, values: Float[Tensor, "*E K B"]) -> Float[Tensor, "*E P B"]:
        """The gradient of a value times w."""
        return (values.unsqueeze(-2) * self.weight).flatten(-3, -2)

    def least(self, outputs: Float[Tensor, "E P B"]) -> Float[Tensor, "P B"]:
        """ψ of the member whose ψᵀw is the least, one member for all features of a step."""
        member = self.values(outputs).argmin(dim=0, keepdim=True).unsqueeze(2)
        each = outputs.unflatten(1, self.used.shape)
        return each.gather(0, member.expand(1, *self.weight.shape))[0].flatten(0, 1)

    def to_outputs(self, numbers: Float[Tensor, "K 1"]) -> Float[Tensor, "P 1"]:
        """A number of each critic for each output that it uses."""
        return (numbers * self.used).view(-1, 1)

    def to_values(self, numbers: Float[Tensor, "K C"]) -> Float[Tensor, "P C"]:
        """A number of each critic for its value, if that is an output."""
        return (numbers[:, None] * self.is_value[..., None]).flatten(0, 1)

    def total(self, numbers: Float[Tensor, " P"]) -> Float[Tensor, " K"]:
        """Sum over the outputs of each critic."""
        return numbers.view(self.used.shape).sum(dim=-1)

    def rows(self, index: Int[Tensor, " M"]) -> FeatureReadout:
        """The readout of some of the steps."""
        return FeatureReadout(self.weight[..., index], self.used, self.is_value)
