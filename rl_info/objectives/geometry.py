"""Similarities and distances of embeddings that the objectives share."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from rl_info.distances import squared_distances
from rl_info.objectives.checks import Positive, require_positive


def unit(embeddings: Float[Tensor, "*rows D"]) -> Float[Tensor, "*rows D"]:
    """Rows on the unit sphere; a row of zeros stays zero."""
    return normalize(embeddings, dim=-1)


def similarities(
    x: Float[Tensor, "B D"],
    y: Float[Tensor, "N D"],
    temperature: Positive = 1.0,
    cosine: bool = True,
) -> Float[Tensor, "B N"]:
    """x·y/τ of every pair of rows, of unit rows if `cosine`."""
    require_positive("temperature", temperature)
    if cosine:
        x, y = unit(x), unit(y)
    return x @ y.T / temperature


def itself(rows: int, device: torch.device) -> Bool[Tensor, "B B"]:
    """Mask of the pairs (i, i)."""
    return torch.eye(rows, dtype=torch.bool, device=device)


def without_diagonal(pairs: Float[Tensor, "B B"]) -> Float[Tensor, "B B-1"]:
    """Every row without its own column."""
    rows = pairs.shape[0]
    # Row-major order puts the diagonal every B + 1 entries: drop the first, then fold.
    return pairs.flatten()[1:].view(rows - 1, rows + 1)[:, :-1].reshape(rows, rows - 1)


def log_mean_exp(values: Float[Tensor, "*rows N"]) -> Float[Tensor, "*rows"]:
    """ln of the mean of exponentials over the last dimension."""
    return values.logsumexp(dim=-1) - math.log(values.shape[-1])


def uniformity(embeddings: Float[Tensor, "B D"], bandwidth: float = 0.5) -> Float[Tensor, ""]:
    """ln of the mean of exp(−‖z_i − z_j‖²/2τ) over pairs i ≠ j, τ being the `bandwidth`.

    Wang and Isola, arXiv 2005.10242, where 1/2τ = t. Zero if all rows agree, else negative.
    """
    distances = without_diagonal(squared_distances(embeddings, embeddings))
    return log_mean_exp(-distances.flatten() / (2 * bandwidth))
