"""The clipped objective of proximal policy optimisation and its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agents.learners.losses import Metrics


@dataclass(frozen=True)
class PolicyGradients:
    """Gradients of the actor's loss."""

    log_prob: Float[Tensor, " B"]
    """Of the log density of each action."""
    entropy: float
    """Of the entropy of each state's policy, the same for all."""


def policy_loss(
    log_prob: Float[Tensor, " B"],
    old_log_prob: Float[Tensor, " B"],
    advantage: Float[Tensor, " B"],
    entropy: Float[Tensor, " B"],
    clip: float,
    entropy_coefficient: float,
) -> tuple[PolicyGradients, Metrics]:
    """Gradients and metrics of −mean min(r A, clip(r, 1 ± ε) A) − c · mean entropy.

    r is the ratio of new to old density (Schulman et al., arXiv 1707.06347, eq. 7 and 9).
    `policy/kl` is the estimate mean(r − 1 − ln r) of KL(old ‖ new), in nats, never negative.
    """
    size = len(log_prob)
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    gain, clipped_gain = ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage
    gradient = torch.where(gain <= clipped_gain, -gain, 0.0) / size
    mean_entropy = entropy.mean()
    loss = -torch.minimum(gain, clipped_gain).mean() - entropy_coefficient * mean_entropy
    metrics = {
        "loss/actor": loss,
        "policy/entropy": mean_entropy,
        "policy/kl": (ratio - 1 - log_ratio).mean(),
        "policy/clip_fraction": ((ratio - 1).abs() > clip).float().mean(),
    }
    return PolicyGradients(gradient, -entropy_coefficient / size), metrics
