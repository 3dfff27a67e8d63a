"""The gradient of a network whose parameters are one flat buffer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class FlatGradient:
    """A gradient whose leading part may be in bfloat16, as the products that made it left it.

    Rounding is exact to read: every bfloat16 number is a float32 number.
    """

    rounded: Float[Tensor, " _S"] | None
    """The leading elements in bfloat16, or None if all are in `rest`."""
    rest: Float[Tensor, "*S"]
    """The elements after them, in float32; all of them may have any shape."""

    def float(self) -> Float[Tensor, "*_F"]:
        """All elements in float32; not a copy if nothing is rounded."""
        if self.rounded is None:
            return self.rest
        return torch.cat([self.rounded.float(), self.rest])

    def norm(self) -> Float[Tensor, ""]:
        """Euclidean norm, float32."""
        rest = self.rest.norm()
        if self.rounded is None:
            return rest
        return torch.hypot(self.rounded.norm(dtype=torch.float32), rest)

    def scale_(self, factor: Float[Tensor, ""]) -> None:
        """Multiply by `factor` in place; the rounded part is rounded again."""
        self.rest.mul_(factor)
        if self.rounded is not None:
            self.rounded.mul_(factor)
