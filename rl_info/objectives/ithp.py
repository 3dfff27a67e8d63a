"""Hierarchical bottleneck of modalities, ITHP (Xiao et al., ICLR 2024, arXiv 2404.09403)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Metrics, require_views
from rl_info.objectives.vib import variational_bottleneck


def hierarchical_bottleneck(
    means: Sequence[Float[Tensor, "B _"]],
    log_stds: Sequence[Float[Tensor, "B _"]],
    prediction_losses: Sequence[Float[Tensor, "B"]],
    prediction_weights: Sequence[float] = (8.0, 32.0),
    level_weights: Sequence[float] = (1.0, 0.3),
) -> tuple[Float[Tensor, ""], Metrics]:
    """ITHP: the prime sensor is compressed level by level, each level kept to one other sensor.

    Level 0 codes the prime sensor X_0 as B_0 and predicts sensor X_1 from it; level 1 codes B_0
    as B_1 and predicts X_2. The loss is the variational form of
    I(X_0;B_0) − β I(B_0;X_1) + λ [I(B_0;B_1) − γ I(B_1;X_2)] (arXiv 2404.09403, equation 3):
    Σ_l w_l·mean[KL(N(mean_l, e^{2·log_std_l}) ‖ N(0, 1)) + β_l·loss_l] in nats, for any number of
    levels. Defaults for two are the authors' β, γ = 8, 32 and λ = 0.3. The metrics are the rate
    and the prediction loss of every level.

    Limits: those of `variational_bottleneck` at every level; the order of sensors is chosen by
    hand. The authors' code averages the KL over dimensions and uses squared errors, so their
    weights refer to a rate smaller by the code's width: scale β_l by it to compare.
    Raises ValueError if the levels of the five sequences differ in number, and for weights of
    prediction that are not positive.
    """
    levels = len(means)
    require_views(levels, minimum=1)
    counts = {len(log_stds), len(prediction_losses), len(prediction_weights), len(level_weights)}
    if counts != {levels}:
        raise ValueError(f"{levels} levels of means, but the others have {sorted(counts)}")
    if min(prediction_weights) <= 0:
        raise ValueError(f"weights of prediction must be above 0, got {prediction_weights}")
    total, metrics = torch.zeros_like(prediction_losses[0][0]), Metrics()
    per_level = zip(
        means, log_stds, prediction_losses, prediction_weights, level_weights, strict=True
    )
    for level, (mean, log_std, loss, weight, share) in enumerate(per_level):
        # rate + β·loss = β·(loss + rate/β): the bottleneck with 1/β as the price of a nat.
        bottleneck, terms = variational_bottleneck(loss, mean, log_std, beta=1 / weight)
        total = total + share * weight * bottleneck
        metrics |= {f"{name}_{level}": value for name, value in terms.items()}
    return total, metrics
