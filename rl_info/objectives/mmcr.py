"""Maximum manifold capacity representations (Yerxa et al., NeurIPS 2023, arXiv 2303.03307)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Metrics, require_views
from rl_info.objectives.geometry import unit


def manifold_capacity(
    views: Float[Tensor, "M B D"], compression: float = 0.0
) -> tuple[Float[Tensor, ""], Metrics]:
    """MMCR: centroids of the views of samples should fill space; those views should not.

    λ·mean_b ‖Z_b‖_* − ‖C‖_* with nuclear norms of the views Z_b (M, D) of each sample, on the unit
    sphere, and of their centroids C (B, D); λ is `compression`, for which the paper finds 0
    enough, since aligned views already lengthen the centroids (arXiv 2303.03307, equation 4).
    Dimensionless; the metrics are both norms. −‖C‖_* is at least −B·√min(1, D/B).

    Limits: no bound of information in nats. One SVD of (B, D) each call, O(BD·min(B, D)), and one
    of (M, D) per sample if `compression` is above 0. Where singular values vanish, as in a batch
    that has collapsed, the gradient is one of many subgradients.
    Raises ValueError for fewer than two views or a negative compression.
    """
    require_views(views.shape[0])
    if compression < 0:
        raise ValueError(f"compression must be at least 0, got {compression}")
    samples = unit(views).transpose(0, 1)
    spread = torch.linalg.svdvals(samples.mean(dim=1)).sum()
    metrics = {"centroids": spread.detach()}
    if compression == 0:
        return -spread, metrics
    extent = torch.linalg.svdvals(samples).sum(dim=-1).mean()
    metrics["views"] = extent.detach()
    return compression * extent - spread, metrics
