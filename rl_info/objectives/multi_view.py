"""Contrastive objectives of many views at once (Koromilas et al., arXiv 2507.06979)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Positive, require_batch, require_positive, require_views
from rl_info.objectives.geometry import itself, similarities, unit


def mv_info_nce(views: Float[Tensor, "M B D"], temperature: Positive = 0.2) -> Float[Tensor, ""]:
    """MV-InfoNCE: one term per sample that holds all interactions of all views, in nats.

    Mean over samples i of −ln [2 Σ_{k<l} e^{z_k^i·z_l^i/τ} / Σ_k Σ_{(l,j)≠(k,i)} e^{z_k^i·z_l^j/τ}]
    on the unit sphere. At least 0, since the numerator is part of the denominator.

    Limits: no bound of information is claimed; one aligned pair of views is enough to make the
    numerator large, so the others are drawn in slowly. Time and memory O(M²B²).
    Raises ValueError for fewer than two views or rows or a temperature that is not positive.
    """
    count, rows, _ = views.shape
    require_views(count)
    require_batch(rows)
    flat = views.flatten(0, 1)
    logits = similarities(flat, flat, temperature)
    logits = logits.masked_fill(itself(count * rows, views.device), -torch.inf)
    # Rows of one sample in all views share a denominator.
    everything = logits.view(count, rows, count * rows).transpose(0, 1).flatten(1)
    return (everything.logsumexp(dim=-1) - _pairs_of_views(views, temperature)).mean() - math.log(2)


def mv_dhel(views: Float[Tensor, "M B D"], temperature: Positive = 0.2) -> Float[Tensor, ""]:
    """MV-DHEL: alignment of all views, with uniformity kept within each view, in nats.

    Mean over samples i of −ln Σ_{k<l} e^{z_k^i·z_l^i/τ} + Σ_k ln Σ_{j≠i} e^{z_k^i·z_k^j/τ} on the
    unit sphere: positives never compete with negatives.

    Limits: no bound of information; the weight of uniformity grows with the number of views.
    Time and memory O(MB²). Raises ValueError for fewer than two views or rows or a temperature
    that is not positive.
    """
    count, rows, _ = views.shape
    require_views(count)
    require_batch(rows)
    own = itself(rows, views.device)
    within = torch.stack([similarities(view, view, temperature) for view in views])
    uniform = within.masked_fill(own, -torch.inf).logsumexp(dim=-1).sum(dim=0)
    return (uniform - _pairs_of_views(views, temperature)).mean()


def _pairs_of_views(views: Float[Tensor, "M B D"], temperature: Positive) -> Float[Tensor, "B"]:
    """ln Σ_{k<l} e^{z_k·z_l/τ} for every sample."""
    require_positive("temperature", temperature)
    samples = unit(views).transpose(0, 1)
    gram = samples @ samples.transpose(1, 2) / temperature
    first, second = torch.triu_indices(views.shape[0], views.shape[0], 1, device=views.device)
    return gram[:, first, second].logsumexp(dim=-1)
