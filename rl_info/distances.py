"""Distances between all pairs of rows."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def squared_distances(
    x: Float[Tensor, "*views B D"], y: Float[Tensor, "*views N D"]
) -> Float[Tensor, "*views B N"]:
    """‖x_i − y_j‖² in O(BN) memory, differentiable where rows coincide.

    Exact to the precision of the squared norms, in float32 about 1e-6 of them: centre both first.
    """
    cross = x @ y.transpose(-1, -2)
    norms = x.square().sum(-1)[..., :, None] + y.square().sum(-1)[..., None, :]
    return (norms - 2 * cross).clamp_min(0)
