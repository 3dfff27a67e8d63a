"""Vectors of categorical variables as latents: uniform mixture, straight-through draws, KL.

The latents of DreamerV2 and V3 (arXiv 2010.02193, 2301.04104): S variables of C classes each.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

UNIFORM_MIX = 0.01
"""Share of the uniform distribution in every categorical of DreamerV3."""


def mixed_log_probabilities(
    logits: Float[Tensor, "*B S C"], uniform_mix: float = UNIFORM_MIX
) -> Float[Tensor, "*B S C"]:
    """ln[(1 − u)·softmax(logits) + u/C]: no class ever has probability 0, so KL stays finite."""
    if uniform_mix == 0.0:
        return logits.log_softmax(dim=-1)
    share = torch.softmax(logits, dim=-1)
    return torch.log((1.0 - uniform_mix) * share + uniform_mix / logits.shape[-1])


def draw_classes(
    probabilities: Float[Tensor, "*B S C"], uniform: Float[Tensor, "*B S 1"]
) -> Float[Tensor, "*B S C"]:
    """One-hot draws from the categoricals by inversion of one uniform number in [0, 1) each."""
    above = probabilities.cumsum(dim=-1) <= uniform
    # Rounding may leave the last sum below 1 and the number above it: then the last class counts.
    chosen = above.sum(dim=-1).clamp_max_(probabilities.shape[-1] - 1)
    return torch.zeros_like(probabilities).scatter_(-1, chosen.unsqueeze(-1), 1.0)


def straight_through(
    logits: Float[Tensor, "*B S C"],
    uniform: Float[Tensor, "*B S 1"],
    uniform_mix: float = UNIFORM_MIX,
) -> Float[Tensor, "*B S C"]:
    """One-hot draws whose gradient is that of the probabilities (arXiv 1308.3432)."""
    probabilities = mixed_probabilities(logits, uniform_mix)
    drawn = draw_classes(probabilities.detach(), uniform)
    return drawn + (probabilities - probabilities.detach())


def mixed_probabilities(
    logits: Float[Tensor, "*B S C"], uniform_mix: float = UNIFORM_MIX
) -> Float[Tensor, "*B S C"]:
    """(1 − u)·softmax(logits) + u/C."""
    return (1.0 - uniform_mix) * torch.softmax(logits, dim=-1) + uniform_mix / logits.shape[-1]


def categorical_kl(
    log_p: Float[Tensor, "*B S C"], log_q: Float[Tensor, "*B S C"]
) -> Float[Tensor, "*B"]:
    """KL(p ‖ q) of vectors of independent categoricals, in nats, summed over the S variables."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=(-2, -1))


def categorical_entropy(log_p: Float[Tensor, "*B S C"]) -> Float[Tensor, "*B"]:
    """Entropy of a vector of independent categoricals, in nats, from 0 to S ln C."""
    return -(log_p.exp() * log_p).sum(dim=(-2, -1))


def largest_entropy(variables: int, classes: int) -> float:
    """S ln C, in nats."""
    return variables * math.log(classes)
