"""InfoNCE (van den Oord et al., arXiv 1807.03748) and its two-view form in SimCLR."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from rl_info.objectives.checks import Positive, require_batch
from rl_info.objectives.geometry import itself, similarities


def info_nce(
    x: Float[Tensor, "B D"],
    y: Float[Tensor, "B D"],
    temperature: Positive = 0.1,
    *,
    symmetric: bool = True,
    cosine: bool = True,
) -> Float[Tensor, ""]:
    """Cross-entropy of finding, for each x_i, its y_i among the batch, in nats.

    −mean_i [s_ii − ln Σ_j e^{s_ij}] with s_ij = x_i·y_j/τ (arXiv 1807.03748, equation 4). With
    `symmetric` the mean with the same for finding x_i from y_i, as CLIP has it (arXiv 2103.00020).

    Limits: ln B − loss is a lower bound of I(X;Y), and at most ln B, so that information above
    ln B cannot be seen. Near the ceiling positives are found with probability near 1 and the
    gradient, scaled by 1 − that probability, vanishes: DCL (`decoupled_contrastive`) mends that.
    Raises ValueError for fewer than two rows or a temperature that is not positive.
    """
    require_batch(x.shape[0])
    logits = similarities(x, y, temperature, cosine)
    own = torch.arange(x.shape[0], device=x.device)
    forth = cross_entropy(logits, own)
    return (forth + cross_entropy(logits.T, own)) / 2 if symmetric else forth


def nt_xent(
    x: Float[Tensor, "B D"], y: Float[Tensor, "B D"], temperature: Positive = 0.1
) -> Float[Tensor, ""]:
    """InfoNCE where the other rows of the same view are negatives too, in nats.

    The normalised, temperature-scaled cross-entropy of SimCLR (arXiv 2002.05709, equation 1), the
    mean over all 2B rows, each with 2B − 2 negatives. Limits: those of `info_nce`; negatives of
    the same view do not come from the product of marginals, so it is no bound of I(X;Y).
    Raises ValueError for fewer than two rows or a temperature that is not positive.
    """
    rows = x.shape[0]
    require_batch(rows)
    both = torch.cat([x, y])
    logits = similarities(both, both, temperature)
    logits = logits.masked_fill(itself(2 * rows, x.device), -torch.inf)
    return cross_entropy(logits, torch.arange(2 * rows, device=x.device).roll(rows))
