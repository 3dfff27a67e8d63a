"""Balanced KL between posterior and prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.categorical_latent import categorical_kl, mixed_log_probabilities


@dataclass(frozen=True)
class BalancedKL:
    """Both sides of one KL, each with gradient to one side only, in nats, (B, T)."""

    dynamics: Float[Tensor, "*B"]
    """max(free, KL(sg(posterior) ‖ prior)): teaches the prior to foresee."""
    representation: Float[Tensor, "*B"]
    """max(free, KL(posterior ‖ sg(prior))): teaches the posterior to be foreseeable."""
    value: Float[Tensor, "*B"]
    """The KL itself, without gradient and without free nats."""


def balanced_kl(
    posterior: Float[Tensor, "*B S C"],
    prior: Float[Tensor, "*B S C"],
    free_nats: float,
    uniform_mix: float,
) -> BalancedKL:
    """KL(posterior ‖ prior) of DreamerV3 (arXiv 2301.04104, equation 3), from logits.

    Below `free_nats` neither side gets a gradient.
    """
    log_p = mixed_log_probabilities(posterior, uniform_mix)
    log_q = mixed_log_probabilities(prior, uniform_mix)
    dynamics = categorical_kl(log_p.detach(), log_q)
    representation = categorical_kl(log_p, log_q.detach())
    return BalancedKL(
        _with_free_nats(dynamics, free_nats),
        _with_free_nats(representation, free_nats),
        dynamics.detach(),
    )


def _with_free_nats(kl: Float[Tensor, "*B"], free_nats: float) -> Float[Tensor, "*B"]:
    # A maximum with a tensor would give half the gradient at a tie.
    return torch.where(kl > free_nats, kl, torch.full_like(kl, free_nats))
