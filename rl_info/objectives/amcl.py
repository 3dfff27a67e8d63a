"""Adaptive multi-head contrastive learning (Wang et al., ECCV 2024, arXiv 2310.05615)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Metrics, require_batch
from rl_info.objectives.geometry import itself, unit


def adaptive_temperature(
    x: Float[Tensor, "H B F"],
    y: Float[Tensor, "H B F"],
    lower: float = 1e-5,
    upper: float = 2.0,
) -> Float[Tensor, "H B B"]:
    """Temperature of every head and pair: lower + (upper − lower)·sigmoid(φ(x_i)·φ(y_j)).

    `x` and `y` are what a small learned network φ, shared by the heads, makes of the projections.
    Raises ValueError unless 0 < lower < upper. Limits: that the bounds are reached by a sigmoid
    follows public code; the paper's own bounds are not certain from the public text.
    """
    if not 0 < lower < upper:
        raise ValueError(f"temperatures need 0 < lower < upper, got {lower} and {upper}")
    return lower + (upper - lower) * torch.sigmoid(x @ y.transpose(1, 2))


def adaptive_multi_head(
    x: Float[Tensor, "H B D"],
    y: Float[Tensor, "H B D"],
    temperatures: Float[Tensor, "H B B"],
    regularisation: float = 0.1,
) -> tuple[Float[Tensor, ""], Metrics]:
    """AMCL on SimCLR: each head weighs each pair by a temperature of its own.

    Mean over rows, sum over heads c of −s_ii/τ_ii + s_in/τ_in + β(Ω(τ_ii) − Ω(τ_in)) with cosine
    similarities s_ij of x_i and y_j, n the hardest negative argmax_{j≠i} s_ij, and
    Ω(τ) = D/2·ln τ + 1/τ (arXiv 2310.05615, table 2, equation 2.1; β is `regularisation`). The
    first term and Ω are −ln of a normal density with variance τ about the other view: head and
    pair decide how sure they are. The metrics are the terms without and with temperatures alone.

    Limits: no bound of information; the part in Ω(τ_in) is unbounded below unless temperatures
    are bounded, as `adaptive_temperature` does. Table 2 is from the authors' repository; Ω is
    derived here from the density and agrees with public code; β's value is not certain.
    Raises ValueError for fewer than two rows.
    """
    _, rows, width = x.shape
    require_batch(rows)
    similarity = unit(x) @ unit(y).transpose(1, 2)
    own = itself(rows, x.device)
    hardest = similarity.masked_fill(own, -torch.inf).argmax(dim=-1, keepdim=True)
    near, near_temperature = (
        pairs.diagonal(dim1=1, dim2=2) for pairs in (similarity, temperatures)
    )
    far, far_temperature = (
        pairs.gather(2, hardest)[..., 0] for pairs in (similarity, temperatures)
    )
    contrast = (far / far_temperature - near / near_temperature).sum(dim=0).mean()
    surprise = _surprise(near_temperature, width) - _surprise(far_temperature, width)
    penalty = surprise.sum(dim=0).mean()
    loss = contrast + regularisation * penalty
    return loss, {"contrast": contrast.detach(), "temperature": penalty.detach()}


def _surprise(temperature: Float[Tensor, "H B"], width: int) -> Float[Tensor, "H B"]:
    """Ω(τ): −ln of a normal density of variance τ, less the part with the similarity."""
    return width / 2 * temperature.log() + 1 / temperature
