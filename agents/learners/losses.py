"""Losses of multi-critic soft actor-critic and their gradients, as functions of tensors alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Metrics = dict[str, Tensor]


@dataclass(frozen=True)
class Objective:
    """What the actor maximises: Σ_k weight_k · Q_k / scale_k, and the names of the K rewards."""

    names: Sequence[str]
    weight: Float[Tensor, " K"]
    scale: Float[Tensor, " K"]

    def entropy_share(self) -> Float[Tensor, " K"]:
        """scale_k / Σ_j weight_j: the entropy in target k, so that the objective holds one."""
        return self.scale / self.weight.sum()


def soft_target(
    reward: Float[Tensor, "K B"],
    discount: Float[Tensor, "K B"],
    next_values: Float[Tensor, "E K B"],
    next_log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
) -> Float[Tensor, "K B"]:
    """r_k + d_k (min_e Q_{e,k}(s', a') − α share_k log π(a'|s')).

    `discount` is 0 where the step terminated. For K = 1 and weight 1 this is the target of
    Haarnoja et al. (arXiv 1812.05905, eq. 5) with clipped double Q-learning.
    """
    share = (temperature * objective.entropy_share())[:, None]
    soft_value = torch.addcmul(next_values.amin(dim=0), share, next_log_prob, value=-1.0)
    return torch.addcmul(reward, discount, soft_value)


def critic_loss(
    values: Float[Tensor, "E K B"], target: Float[Tensor, "K B"], objective: Objective
) -> tuple[Float[Tensor, "E K B"], Metrics]:
    """Gradient of the values, and metrics, of half the mean squared error.

    The error is in units of each reward's scale; the loss sums over members and rewards.
    """
    error = (values - target) / objective.scale[:, None]
    losses = error.square().mean(dim=-1).sum(dim=0).mul_(0.5)
    gradient = error / (objective.scale[:, None] * values.shape[-1])
    metrics = _by_name("loss/critic/", objective.names, losses)
    return gradient, metrics | _by_name("value/", objective.names, values.mean(dim=(0, 2)))


@dataclass(frozen=True)
class ActorGradients:
    """Gradients of the actor's loss."""

    values: Float[Tensor, "E K B"]
    log_prob: Float[Tensor, ""]
    """The same for every sample."""


def actor_loss(
    values: Float[Tensor, "E K B"],
    log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
) -> tuple[ActorGradients, Metrics]:
    """Gradients and metrics of the mean of α log π − Σ_k weight_k min_e Q_{e,k} / scale_k.

    This is equation 7 of Haarnoja et al. for the weighted sum of values.
    """
    share = objective.weight / objective.scale
    least = values.min(dim=0)
    entropy = -log_prob.mean()
    loss = -temperature * entropy - (share @ least.values).mean()
    per_sample = (share / -len(log_prob))[:, None].expand_as(least.values)
    gradient = torch.zeros_like(values).scatter_(0, least.indices[None], per_sample[None])
    gradients = ActorGradients(gradient, temperature / len(log_prob))
    return gradients, {"loss/actor": loss, "policy/entropy": entropy}


def temperature_loss(
    temperature: Float[Tensor, ""], log_prob: Float[Tensor, " B"], target_entropy: float
) -> tuple[Float[Tensor, ""], Metrics]:
    """Gradient of log α, and metrics, of α · (entropy − target entropy), the policy held fixed.

    This is equation 18 of Haarnoja et al.; the target is in nats. As the loss is proportional to
    α, it is its own derivative by log α.
    """
    loss = temperature * (-log_prob.mean() - target_entropy)
    return loss, {"loss/temperature": loss}


def _by_name(prefix: str, names: Sequence[str], values: Float[Tensor, " K"]) -> Metrics:
    pairs = zip(names, values.unbind(), strict=True)
    return {f"{prefix}{name}": value for name, value in pairs}
