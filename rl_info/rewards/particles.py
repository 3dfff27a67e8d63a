"""Particle estimates: how far a row is from recent others in a latent space."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rl_info.rewards.inputs import StateNetworkConfig

Encoder = Callable[[Tensor], Tensor]
"""Features (R, F) of raw rows (R, D)."""
NEWEST, USABLE = 1, 2
SCALE_ROWS = 64
"""Rows of a batch that count in the running mean of distances."""


@dataclass(frozen=True)
class ParticleConfig(StateNetworkConfig):
    """Settings of a reward that compares states with recent other states."""

    neighbours: int = 12
    """k: nearest neighbours whose distances are averaged."""
    reference_rows: int = 512
    """Recent rows among which neighbours are searched, in place of the batch of the papers."""
    relative_distance: bool = False
    """Divide distances by their running mean, so that the scale of the features drops out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("neighbours", self.neighbours >= 1, "at least 1")
        bound = f"at least 4 · neighbours = {4 * self.neighbours}"
        self.require("reference_rows", self.reference_rows >= 4 * self.neighbours, bound)


class ReferenceRows(nn.Module):
    """A ring of recent raw rows, part of the state dict.

    The papers of this family compare the rows of a batch with each other. Here they are compared
    with rows of earlier batches: the value of a step then depends on nothing beside it, and a step
    is never its own neighbour. Rows are kept raw and encoded anew, so that they never go stale.
    """

    rows: Tensor
    age: Tensor
    start: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(size, width))
        self.register_buffer("age", torch.zeros(size, dtype=torch.uint8))
        self.register_buffer("start", torch.zeros((), dtype=torch.int64))

    @property
    def usable(self) -> Bool[Tensor, " R"]:
        """Which rows count: those of every batch but the last."""
        return self.age == USABLE

    @torch.no_grad()
    def add(self, rows: Float[Tensor, "B D"]) -> None:
        """Let at most a quarter of the ring be replaced, by rows spread evenly over the batch."""
        size = len(self.rows)
        chosen = _spread(rows, size // 4)
        where = (self.start + torch.arange(len(chosen), device=rows.device)) % size
        self.age.copy_(torch.where(self.age > 0, USABLE, 0))
        self.rows[where] = chosen
        self.age[where] = NEWEST
        self.start.copy_((self.start + len(chosen)) % size)


class ParticleEntropy(nn.Module):
    """log(1 + mean distance to the k nearest of the reference rows).

    Up to constants the k-nearest-neighbour estimate of entropy with its logarithm kept finite
    (APT, arXiv 2103.04551). 0 while there is no reference. No unit of information:
    the estimate proper is F · log distance plus constants, and here the distance is averaged over
    neighbours before the logarithm.
    """

    total: Tensor
    count: Tensor

    def __init__(self, config: ParticleConfig, width: int) -> None:
        super().__init__()
        self.neighbours = config.neighbours
        self.relative = config.relative_distance
        self.reference = ReferenceRows(config.reference_rows, width)
        self.register_buffer("total", torch.zeros((), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def learn(self, rows: Float[Tensor, "B D"], encode: Encoder) -> None:
        """Add raw rows to the reference, their distances to the running mean."""
        if self.relative:
            some = encode(_spread(rows, SCALE_ROWS))
            seen = self.reference.usable.any()
            self.total += self._distance(some, encode).double().sum() * seen
            self.count += len(some) * seen
        self.reference.add(rows)

    def forward(self, features: Float[Tensor, "B F"], encode: Encoder) -> Float[Tensor, " B"]:
        """Values of encoded rows; `encode` maps the raw rows of the reference likewise."""
        distance = self._distance(features, encode)
        if self.relative:
            mean = torch.where(self.count > 0, self.total / self.count.clamp_min(1.0), 1.0)
            distance = distance / mean.clamp_min(1e-8).to(distance.dtype)
        return distance.log1p()

    def _distance(self, features: Float[Tensor, "B F"], encode: Encoder) -> Float[Tensor, " B"]:
        others = encode(self.reference.rows)
        return mean_neighbour_distance(features, others, self.reference.usable, self.neighbours)


def mean_neighbour_distance(
    features: Float[Tensor, "B F"],
    others: Float[Tensor, "R F"],
    usable: Bool[Tensor, " R"],
    neighbours: int,
) -> Float[Tensor, " B"]:
    """Mean Euclidean distance to the nearest usable others; 0 if none is usable.

    With fewer than `neighbours` usable others it is the mean over those there are.
    """
    # The product form of the distance would lose the small ones to cancellation.
    distance = torch.cdist(features, others, compute_mode="donot_use_mm_for_euclid_dist")
    distance = distance.masked_fill(~usable, math.inf)
    nearest = distance.topk(neighbours, dim=-1, largest=False).values
    found = nearest.isfinite()
    return nearest.where(found, 0.0).sum(dim=-1) / found.sum(dim=-1).clamp_min(1)


def _spread(rows: Float[Tensor, "B D"], most: int) -> Float[Tensor, "N D"]:
    """At most `most` rows, evenly spread over all."""
    return rows[:: max(1, math.ceil(len(rows) / most))]
