"""Redundancy reduction: Barlow Twins (arXiv 2103.03230) and the form of R2-Dreamer."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Metrics, require_batch
from rl_info.objectives.geometry import itself


def barlow_twins(
    x: Float[Tensor, "B D"],
    y: Float[Tensor, "B D"],
    redundancy: float = 5e-3,
    epsilon: float = 1e-8,
) -> tuple[Float[Tensor, ""], Metrics]:
    """Make the cross-correlation C of two views' features the identity.

    Σ_i (1 − C_ii)² + λ Σ_{i≠j} C_ij², λ the `redundancy` (Zbontar et al., ICML 2021,
    arXiv 2103.03230, equations 1 and 2), with features standardised over the batch by
    √(variance + `epsilon`). Dimensionless, at least 0; the metrics are both sums.

    Limits: sees correlation only, which is all there is for jointly normal features and no
    others; λ must shrink as D grows, since the second sum has D² terms. A feature that never
    varies counts as uncorrelated with everything. Raises ValueError for fewer than two rows.
    """
    require_batch(x.shape[0])
    correlation = _standardised(x, epsilon).T @ _standardised(y, epsilon) / x.shape[0]
    agreement = (1 - correlation.diagonal()).square().sum()
    off_diagonal = ~itself(correlation.shape[0], x.device)
    repetition = (correlation.square() * off_diagonal).sum()
    metrics = {"agreement": agreement.detach(), "redundancy": repetition.detach()}
    return agreement + redundancy * repetition, metrics


def redundancy_reduction(
    prediction: Float[Tensor, "B D"],
    target: Float[Tensor, "B D"],
    redundancy: float = 5e-4,
    scale: float = 0.05,
) -> tuple[Float[Tensor, ""], Metrics]:
    """R2-Dreamer's loss: `barlow_twins` of projected latents and fixed encodings, times `scale`.

    0.05·[Σ_i (1 − C_ii)² + 5e-4 Σ_{i≠j} C_ij²] where no gradient flows into `target`. A batch is
    every step of every sequence. Limits: those of `barlow_twins`; the public code standardises
    by the unbiased deviation, which makes its C smaller by (B − 1)/B. Raises as it does.
    """
    loss, metrics = barlow_twins(prediction, target.detach(), redundancy)
    return scale * loss, metrics


def _standardised(x: Float[Tensor, "B D"], epsilon: float) -> Float[Tensor, "B D"]:
    centred = x - x.mean(dim=0)
    # Inside the root: the gradient of a deviation is infinite where a feature never varies.
    return centred / torch.sqrt(centred.square().mean(dim=0) + epsilon)
