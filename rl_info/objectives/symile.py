"""Symile: contrastive learning of any number of modalities (Saporta et al., arXiv 2411.01053)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from rl_info.objectives.checks import Positive, require_batch, require_positive, require_views
from rl_info.objectives.geometry import unit


def symile(
    modalities: Sequence[Float[Tensor, "B D"]],
    scale: Positive = 1.0,
    *,
    generator: torch.Generator | None = None,
    normalise: bool = True,
) -> Float[Tensor, ""]:
    """Cross-entropy of telling matched from mixed tuples of modalities, in nats.

    The logit of a tuple is `scale` times its multilinear inner product Σ_d Π_m z_m[d]
    (arXiv 2411.01053, equations 4 and 5). Each modality is the anchor once and the loss is their
    mean. With a `generator`, each anchor meets B − 1 negatives whose other modalities are
    shuffled, each by itself: O(B²) memory. Without one, it meets all B^(M−1) − 1 others, which
    draws nothing at random and takes O(B^M) memory. M = 2 without a generator is `info_nce`
    with temperature 1/scale.

    ln(number of candidates) − loss is a lower bound of the total correlation of the modalities, as
    far as candidates from one batch are independent, so it sees information that no pair holds
    (x, y and x XOR y), where pairwise losses are blind. Limits: at most that logarithm; a shuffle
    may leave a tuple matched by chance and call it a negative; products of unit rows shrink as
    D^{1−M/2}, so `scale` must grow with D and M, and rotating the rows changes them if M > 2.
    Raises ValueError for fewer than two modalities or rows or a scale that is not positive.
    """
    require_views(len(modalities))
    require_batch(modalities[0].shape[0])
    require_positive("scale", scale)
    embeddings = [unit(z) for z in modalities] if normalise else list(modalities)
    own = torch.arange(embeddings[0].shape[0], device=embeddings[0].device)
    losses = []
    for index, anchor in enumerate(embeddings):
        others = embeddings[:index] + embeddings[index + 1 :]
        if generator is None:
            logits = anchor @ _all_shifts(others).T
        else:
            logits = _shuffled(anchor, others, generator)
        losses.append(cross_entropy(scale * logits, own))
    return torch.stack(losses).mean()


def _all_shifts(others: Sequence[Float[Tensor, "B D"]]) -> Float[Tensor, "N D"]:
    """Products of the rows of every tuple, matched tuples first and in order."""
    products = others[0][None]
    for other in others[1:]:
        rolled = torch.stack([other.roll(shift, dims=0) for shift in range(other.shape[0])])
        products = (products[None] * rolled[:, None]).flatten(0, 1)
    return products.flatten(0, 1)


def _shuffled(
    anchor: Float[Tensor, "B D"], others: Sequence[Float[Tensor, "B D"]], generator: torch.Generator
) -> Float[Tensor, "B B"]:
    """Logits with matched tuples on the diagonal and shuffled ones off it."""
    mixed = []
    for other in others:
        order = torch.randperm(other.shape[0], generator=generator, device=generator.device)
        mixed.append(other[order.to(other.device)])
    logits = anchor @ reduce(torch.mul, mixed).T
    return logits.diagonal_scatter(reduce(torch.mul, others, anchor).sum(dim=-1))
