"""What the bounds read from a matrix of scores, in logarithms.

`scores[i, j]` is the score f(x_i, y_j); row i and column i belong to pair i, so that the diagonal
holds scores of the joint distribution and the rest those of the product of the marginals.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def check_scores(scores: Float[Tensor, "B B"]) -> None:
    """Raise ValueError unless `scores` is square and has at least two pairs."""
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or scores.shape[0] < 2:
        raise ValueError(
            "scores must be a square matrix of at least 2 pairs with the true pairs on its "
            f"diagonal, got shape {tuple(scores.shape)}"
        )


def without_diagonal(scores: Float[Tensor, "B B"], value: float = -math.inf) -> Tensor:
    """`scores` with `value` on the diagonal."""
    eye = torch.eye(scores.shape[0], dtype=torch.bool, device=scores.device)
    return scores.masked_fill(eye, value)


def log_mean_negatives(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """ln of the mean of e^f over all pairs off the diagonal."""
    pairs = scores.shape[0] * (scores.shape[0] - 1)
    return without_diagonal(scores).flatten().logsumexp(dim=0) - math.log(pairs)


def log_mean_negatives_of_rows(scores: Float[Tensor, "B B"]) -> Float[Tensor, B]:
    """ln of the mean of e^f(x_i, y_j) over j ≠ i, for each i."""
    return without_diagonal(scores).logsumexp(dim=1) - math.log(scores.shape[0] - 1)


def log_mean_negatives_of_columns(scores: Float[Tensor, "B B"]) -> Float[Tensor, B]:
    """ln of the mean of e^f(x_i, y_j) over i ≠ j, for each j."""
    return log_mean_negatives_of_rows(scores.T)


def log_count(count: int, like: Tensor) -> Tensor:
    """ln `count` in the dtype of `like`, rounded down so that it never exceeds the real one."""
    value = like.new_tensor(math.log(count))
    rounded_up = float(value) > math.log(count)
    return torch.nextafter(value, torch.zeros_like(value)) if rounded_up else value
