"""Decoupled contrastive learning (Yeh et al., ECCV 2022, arXiv 2110.06848)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Positive, require_batch, require_positive
from rl_info.objectives.geometry import itself, similarities, unit


def decoupled_contrastive(
    x: Float[Tensor, "B D"], y: Float[Tensor, "B D"], temperature: Positive = 0.1
) -> Float[Tensor, ""]:
    """DCL: attraction of positives minus ln of the sum over negatives alone, in nats.

    Mean over rows and views of −s_i⁺/τ + ln Σ e^{s_ij/τ} over the 2B − 2 rows of other samples
    in both views (arXiv 2110.06848, equation 6): `nt_xent` without the positive in the
    denominator. Its gradient is that of `nt_xent` divided by the probability of not finding the
    positive, so that it does not vanish in small batches, where positives are found easily.

    Limits: unbounded below and no bound of I(X;Y). Raises ValueError for fewer than two rows or
    a temperature that is not positive.
    """
    return _decoupled(x, y, temperature, torch.ones_like(x[:, 0]))


def weighted_decoupled_contrastive(
    x: Float[Tensor, "B D"],
    y: Float[Tensor, "B D"],
    temperature: Positive = 0.1,
    concentration: float = 0.5,
) -> Float[Tensor, ""]:
    """DCLW: DCL whose positives count more the farther apart they are, in nats.

    −w_i s_i⁺/τ + ln Σ e^{s_ij/τ} with the negative von Mises–Fisher weights
    w_i = 2 − e^{s_i⁺/σ} / mean_k e^{s_k⁺/σ}, σ the `concentration` (arXiv 2110.06848, section 3),
    which average to one and take no gradient.

    Limits: those of DCL; a weight is negative where a pair is far closer than the others. That
    the weights take no gradient follows its public code and is not said by the paper.
    Raises ValueError for fewer than two rows and for parameters that are not positive.
    """
    require_positive("concentration", concentration)
    with torch.no_grad():
        positive = (unit(x) * unit(y)).sum(-1) / concentration
        weight = 2 - x.shape[0] * positive.softmax(dim=0)
    return _decoupled(x, y, temperature, weight)


def _decoupled(
    x: Float[Tensor, "B D"],
    y: Float[Tensor, "B D"],
    temperature: Positive,
    weight: Float[Tensor, "B"],
) -> Float[Tensor, ""]:
    rows = x.shape[0]
    require_batch(rows)
    both = torch.cat([x, y])
    logits = similarities(both, both, temperature)
    positive = logits.diagonal(rows)
    same_sample = itself(rows, x.device).repeat(2, 2)
    negatives = logits.masked_fill(same_sample, -torch.inf).logsumexp(dim=-1)
    return negatives.mean() - (weight * positive).mean()
