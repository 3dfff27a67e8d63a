"""Particle entropy, as rewards of exploration use it (APT, arXiv 2103.04551; CIC, 2202.00161)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

_PAIRS_AT_ONCE = 1 << 22
"""Distances in memory while neighbours are looked for."""


def particle_entropy(
    embeddings: Float[Tensor, "N D"], k: int = 12, *, offset: float = 1.0
) -> Float[Tensor, ""]:
    """Mean of `particle_rewards`: grows as the embeddings spread, differentiably.

    No estimate of the differential entropy in nats: factors, the volume of the ball and the
    dimension are left out, and the `offset` under the logarithm keeps rewards from falling without
    limit. Only its order and its gradient mean something; for nats use `entropy_kl`.
    """
    return particle_rewards(embeddings, k, offset=offset).mean()


def particle_rewards(
    embeddings: Float[Tensor, "N D"],
    k: int = 12,
    *,
    others: Float[Tensor, "M D"] | None = None,
    offset: float = 1.0,
) -> Float[Tensor, " N"]:
    """ln(offset + mean Euclidean distance to the k nearest) of each embedding (APT, eq. 5).

    Neighbours are looked for among `others`, by default the other embeddings; a point is never its
    own, unlike in some public code. Differentiable in both; any device and float type; memory
    O(N k D) with blocks of distances, never N². Raises ValueError for fewer than k neighbours.
    """
    pool = embeddings if others is None else others
    available = len(pool) - (others is None)
    if not 1 <= k <= available:
        raise ValueError(f"{k} neighbours asked for, and each point has {available}")
    rows = _nearest(embeddings.detach(), pool.detach(), k, others is None)
    # Distances are taken anew between the points themselves: their choice has no gradient, and the
    # norm, unlike cdist, has a finite one where a point equals its neighbour.
    gaps = embeddings[:, None] - pool[rows]
    return (offset + torch.linalg.vector_norm(gaps, dim=-1).mean(dim=-1)).log()


@torch.no_grad()
def _nearest(
    queries: Float[Tensor, "N D"], pool: Float[Tensor, "M D"], k: int, same: bool
) -> Int64[Tensor, "N K"]:
    """Rows of the k nearest; with `same`, row i of the pool is query i itself and is left out."""
    block = max(1, _PAIRS_AT_ONCE // len(pool))
    found = []
    for start in range(0, len(queries), block):
        distances = torch.cdist(
            queries[start : start + block],
            pool,
            compute_mode="donot_use_mm_for_euclid_dist",
        )
        if same:
            distances.diagonal(start).fill_(torch.inf)
        found.append(distances.topk(k, largest=False).indices)
    return torch.cat(found)
