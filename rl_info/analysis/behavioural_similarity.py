"""Whether latents keep the geometry of the true states (InfoPower, arXiv 2204.08585)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

EdgeKernel = Callable[[Float[Tensor, "P"], Float[Tensor, "P"]], Float[Tensor, "P"]]
"""Similarity of the lengths of P pairs of matched paths, positive semi-definite."""


@dataclass(frozen=True)
class GaussianEdgeKernel:
    """exp(−(a − b)²/(2w²)) of two relative path lengths."""

    width: float = 0.25
    """w, in units of the mean path length."""

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise ValueError(f"width must be > 0, got {self.width}")

    def __call__(self, a: Float[Tensor, "P"], b: Float[Tensor, "P"]) -> Float[Tensor, "P"]:
        """Kernel of every pair of lengths."""
        return torch.exp(-(((a - b) / self.width) ** 2) / 2)


def linear_edge_kernel(a: Float[Tensor, "P"], b: Float[Tensor, "P"]) -> Float[Tensor, "P"]:
    """a·b: the kernel becomes the cosine of the two vectors of lengths, which is rarely small."""
    return a * b


@dataclass(frozen=True)
class BehaviouralSimilarity:
    """Agreement of two geometries."""

    value: float
    """Normalised graph kernel: 1 for the same geometry up to rotation, shift and scale."""
    chance: float
    """What it is after shuffling which latent belongs to which state."""


def behavioural_similarity(
    latents: Float[Tensor, "N Z"],
    states: Float[Tensor, "M S"],
    *,
    edge_kernel: EdgeKernel | None = None,
    max_vertices: int = 1000,
    shuffles: int = 5,
    seed: int = 0,
) -> BehaviouralSimilarity:
    """Shortest-path graph kernel between latents and true simulator states, higher is better.

    Row i of both belongs to the same moment, so M = N.

    Both become complete graphs with Euclidean edge lengths divided by their mean, vertex i of one
    matched to vertex i of the other. Shortest paths in such a graph are its edges, by the triangle
    inequality, and the shortest-path kernel (Borgwardt and Kriegel, ICDM 2005) with matched
    vertices is Σ_{i<j} k(a_ij, b_ij), here normalised to k(a, b)/√(k(a, a) k(b, b)). The paper
    leaves k open and contradicts itself on the sign; here the default is `GaussianEdgeKernel()`,
    and identical geometry gives 1 up to rounding.

    Compare `value` with `chance`: distances concentrate in many dimensions, so that even unrelated
    geometries look alike there, the more the wider the kernel. States should be in comparable
    units, as their Euclidean distance is taken as it is. More samples than `max_vertices` are
    thinned at random with `seed`; float32 is computed in float64. Raises ValueError for different
    lengths, fewer than 3 samples, values that are not finite, or samples that all coincide.
    """
    _check(latents, states)
    kernel = edge_kernel or GaussianEdgeKernel()
    generator = torch.Generator().manual_seed(seed)
    kept = torch.randperm(latents.shape[0], generator=generator)[:max_vertices]
    latents, states = latents[kept].double(), states[kept].double()
    a, b = _relative_lengths(latents, "latents"), _relative_lengths(states, "states")
    unmatched = []
    for _ in range(shuffles):
        order = torch.randperm(latents.shape[0], generator=generator)
        unmatched.append(_normalised(kernel, _relative_lengths(latents[order], "latents"), b))
    chance = sum(unmatched) / shuffles if shuffles else float("nan")
    return BehaviouralSimilarity(_normalised(kernel, a, b), chance)


def _normalised(kernel: EdgeKernel, a: Float[Tensor, "P"], b: Float[Tensor, "P"]) -> float:
    own = kernel(a, a).sum().sqrt() * kernel(b, b).sum().sqrt()
    return (kernel(a, b).sum() / own).item()


def _relative_lengths(x: Float[Tensor, "N D"], name: str) -> Float[Tensor, "P"]:
    """Lengths of all edges over their mean."""
    lengths = torch.nn.functional.pdist(x)
    if not lengths.any():
        raise ValueError(f"all {name} coincide: they have no geometry to compare")
    return lengths / lengths.mean()


def _check(latents: Float[Tensor, "N Z"], states: Float[Tensor, "M S"]) -> None:
    if latents.shape[0] != states.shape[0]:
        raise ValueError(
            f"{latents.shape[0]} latents and {states.shape[0]} states: row i of both must belong "
            "together"
        )
    if latents.shape[0] < 3:
        raise ValueError(f"{latents.shape[0]} samples have no shape: give at least 3")
    for name, values in (("latents", latents), ("states", states)):
        if not torch.isfinite(values).all():
            raise ValueError(f"{name} hold values that are not finite")
