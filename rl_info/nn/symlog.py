"""Symmetric logarithm and two-hot regression of DreamerV3 (arXiv 2301.04104, equations 9 to 11)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

LIMIT = 20.0
"""Bins reach from symexp(−20) to symexp(20)."""


def symlog(x: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """sign(x) ln(1 + |x|)."""
    return torch.sign(x) * torch.log1p(torch.abs(x))


def symexp(x: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """sign(x) (e^|x| − 1), the inverse of `symlog`."""
    return torch.sign(x) * torch.expm1(torch.abs(x))


class SymlogTwoHot(nn.Module):
    """A distribution over numbers of any size: a categorical over exponentially spaced bins.

    Bins lie at symexp of equally spaced points in [−20, 20]. Raises ValueError unless the number
    of bins is odd and at least 3: then one bin is 0 and bins are symmetric.
    """

    bins: Float[Tensor, " N"]

    def __init__(self, count: int = 255) -> None:
        super().__init__()
        if count < 3 or count % 2 == 0:
            raise ValueError(f"the number of bins must be odd and at least 3, got {count}")
        half = symexp(torch.linspace(-LIMIT, 0.0, count // 2 + 1, dtype=torch.float64))
        self.register_buffer("bins", torch.cat([half, -half[:-1].flip(0)]).float())

    def mean(self, logits: Float[Tensor, "*B N"]) -> Float[Tensor, "*B"]:
        """Expected value.

        Summed over pairs of opposite bins: exactly 0 for equal probabilities, where a plain sum
        of numbers as large as 5e8 would leave their rounding.
        """
        share = torch.softmax(logits.float(), dim=-1)
        half = self.bins.shape[0] // 2
        left, right = share[..., :half], share[..., half + 1 :].flip(-1)
        return ((right - left) * -self.bins[:half]).sum(dim=-1)

    def encode(self, value: Float[Tensor, "*B"]) -> Float[Tensor, "*B N"]:
        """Two-hot target: the shares of the two bins next to each value, whose mean it is."""
        index, share = self._between(value)
        target = value.new_zeros(*value.shape, self.bins.shape[0])
        return target.scatter_(-1, index, share)

    def log_prob(
        self, logits: Float[Tensor, "*B N"], value: Float[Tensor, "*B"]
    ) -> Float[Tensor, "*B"]:
        """Two-hot log likelihood in nats, at most 0: Σ_k target_k ln softmax(logits)_k."""
        index, share = self._between(value)
        return (torch.log_softmax(logits.float(), dim=-1).gather(-1, index) * share).sum(dim=-1)

    def _between(
        self, value: Float[Tensor, "*B"]
    ) -> tuple[Int[Tensor, "*B 2"], Float[Tensor, "*B 2"]]:
        """The two bins around each value, and the share of each."""
        value = value.clamp(self.bins[0], self.bins[-1])
        above = torch.searchsorted(self.bins, value.contiguous()).clamp(1, self.bins.shape[0] - 1)
        low, high = self.bins[above - 1], self.bins[above]
        share = (value - low) / (high - low)
        return torch.stack([above - 1, above], dim=-1), torch.stack([1.0 - share, share], dim=-1)
