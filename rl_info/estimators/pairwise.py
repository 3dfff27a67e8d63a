"""Distances between all pairs of samples, in blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distances import squared_distances

CACHED_PAIRS = 1 << 16
"""Pairs held at once on a CPU: half a MiB in float64, so that they stay in its cache."""
DEVICE_PAIRS = 1 << 24
"""Pairs held at once elsewhere, enough to fill a GPU."""


def row_blocks(x: Float[Tensor, "N D"]) -> Iterator[slice]:
    """Slices of rows of x, few enough to compare with all of x at once."""
    pairs = CACHED_PAIRS if x.device.type == "cpu" else DEVICE_PAIRS
    step = max(1, pairs // x.shape[0])
    for start in range(0, x.shape[0], step):
        yield slice(start, min(start + step, x.shape[0]))


def log_kernel(x: Float[Tensor, "N D"], rows: slice, *, self_pairs: bool) -> Float[Tensor, "B N"]:
    """−‖x_i − x_j‖²/2 for i in `rows`; −∞ for i = j unless `self_pairs`. Differentiable."""
    exponents = squared_distances(x[rows], x) * -0.5
    if not self_pairs:
        exponents[:, rows].fill_diagonal_(-math.inf)
    return exponents


def median_distance(x: Float[Tensor, "N D"], generator: torch.Generator, rows: int = 1000) -> float:
    """Median distance between two different samples, from at most `rows` of them at random.

    Falls back to the mean, then to 1, where half of the pairs or all of them coincide.
    """
    chosen = torch.randperm(x.shape[0], generator=generator)[:rows].to(x.device)
    some = x[chosen].double()
    distances = torch.nn.functional.pdist(some - some.mean(dim=0))
    return distances.median().item() or distances.mean().item() or 1.0
