"""Attention blocks that treat their input as a set (Lee et al. 2019, arXiv 1810.00825).

All are equivariant to the order of the set's elements, pooling is invariant to it. As in the
paper's public reference, without layer normalisation, which would hide how long a row is.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

Mask = Bool[Tensor, "B N"]
"""True where an element exists, False where it is padding."""


class MultiheadAttentionBlock(nn.Module):
    """MAB(Q, K) = H + rFF(H), H = Q + attention(Q, K, K): queries read a set."""

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is no multiple of {heads} heads")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.mix = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward), nn.ReLU(), nn.Linear(feed_forward, width)
        )

    def forward(
        self,
        queries: Float[Tensor, "B M H"],
        elements: Float[Tensor, "B N H"],
        mask: Mask | None = None,
    ) -> Float[Tensor, "B M H"]:
        """Queries after reading those elements that `mask` calls real."""
        query = self._split(self.query(queries))
        key, value = (self._split(part) for part in self.key_value(elements).chunk(2, dim=-1))
        # Written out: with a few queries over many keys the fused kernel's gradient is far slower
        # on the CPU.
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        read = scores.softmax(dim=-1).to(value.dtype) @ value
        hidden = queries + self.mix(read.transpose(1, 2).flatten(2))
        return hidden + self.feed_forward(hidden)

    def _split(self, values: Float[Tensor, "B N H"]) -> Float[Tensor, "B heads N part"]:
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class SelfAttentionBlock(nn.Module):
    """SAB(X) = MAB(X, X): every element reads every other, O(N²)."""

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.block = MultiheadAttentionBlock(width, heads, feed_forward)

    def forward(
        self, elements: Float[Tensor, "B N H"], mask: Mask | None = None
    ) -> Float[Tensor, "B N H"]:
        """Elements after reading one another."""
        return self.block(elements, elements, mask)


class InducedSelfAttentionBlock(nn.Module):
    """ISAB(X) = MAB(X, MAB(I, X)) with learned inducing points I: O(N)."""

    def __init__(self, width: int, heads: int, feed_forward: int, points: int) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.empty(points, width))
        nn.init.xavier_uniform_(self.points)
        self.gather = MultiheadAttentionBlock(width, heads, feed_forward)
        self.spread = MultiheadAttentionBlock(width, heads, feed_forward)

    def forward(
        self, elements: Float[Tensor, "B N H"], mask: Mask | None = None
    ) -> Float[Tensor, "B N H"]:
        """Elements after reading what the inducing points gathered from all of them."""
        points = self.points.expand(len(elements), -1, -1)
        return self.spread(elements, self.gather(points, elements, mask))


class PoolingByAttention(nn.Module):
    """PMA(X) = MAB(S, X) with learned seeds S: a set becomes a few vectors."""

    def __init__(self, width: int, heads: int, feed_forward: int, seeds: int) -> None:
        super().__init__()
        self.seeds = nn.Parameter(torch.empty(seeds, width))
        nn.init.xavier_uniform_(self.seeds)
        self.block = MultiheadAttentionBlock(width, heads, feed_forward)

    def forward(
        self, elements: Float[Tensor, "B N H"], mask: Mask | None = None
    ) -> Float[Tensor, "B S H"]:
        """What every seed read."""
        return self.block(self.seeds.expand(len(elements), -1, -1), elements, mask)
