"""Losses of multi-critic soft actor-critic and their gradients, as functions of tensors alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agents.learners.readout import SCALARS, Readout

Metrics = dict[str, Tensor]


class Objective:
    """What the actor maximises: Σ_k share_k · Q_k with share_k = weight_k / scale_k."""

    def __init__(
        self,
        names: Sequence[str],
        weight: Float[Tensor, "K *B"],
        scale: Float[Tensor, " K"],
    ) -> None:
        """`weight` is the same for all steps, (K,), or each step has its own, (K, B)."""
        self.names = tuple(names)
        self.scale = scale[:, None]
        """(K, 1): units of each reward's values."""
        self.share = (weight if weight.ndim == 2 else weight[:, None]) / self.scale
        """(K, 1) or (K, B): what a unit of each value counts."""
        self.error_weight = self.scale**-2
        """(K, 1): what a squared error counts."""
        self.entropy_share = self.scale / weight.sum(dim=0)
        """(K, 1) or (K, B): the entropy in each target, so that the objective holds one in all."""


def soft_target(
    reward: Float[Tensor, "P B"],
    discount: Float[Tensor, "P B"],
    next_outputs: Float[Tensor, "E P B"],
    next_log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
    readout: Readout = SCALARS,
) -> Float[Tensor, "P B"]:
    """r_k + d_k (min_e Q_{e,k}(s', a') − α share_k log π(a'|s')); f + d ψ_e(s', a') for features.

    `discount` is 0 where the step terminated. For K = 1 and weight 1 this is the target of
    Haarnoja et al. (arXiv 1812.05905, eq. 5) with clipped double Q-learning.

    For successor features e is the member with the least ψᵀw, and no entropy enters, as in the
    code of CSF (arXiv 2412.08021): ψ stays what the features of the policy's steps sum to. An agent
    of such rewards alone has the entropy of the present step in its objective, not of later ones.
    """
    bonus = temperature * readout.to_values(objective.entropy_share)
    soft_value = torch.addcmul(readout.least(next_outputs), bonus, next_log_prob, value=-1.0)
    return torch.addcmul(reward, discount, soft_value)


def critic_loss(
    outputs: Float[Tensor, "E P B"],
    target: Float[Tensor, "P B"],
    objective: Objective,
    readout: Readout = SCALARS,
) -> tuple[Float[Tensor, "E P B"], Metrics]:
    """Gradient of the outputs, and metrics, of half the mean squared error.

    For successor features that is half the mean of ‖ψ − target‖². The error is in units of each
    reward's scale; the loss sums over members and rewards. `value/…` is the mean of Q.
    """
    size = outputs.shape[-1]
    error = outputs - target
    gradient = error * (readout.to_outputs(objective.error_weight) / size)
    losses = readout.total(error.mul_(gradient).sum(dim=(0, 2))).mul_(0.5)
    values = readout.values(outputs).mean(dim=(0, 2))
    metrics = by_name("loss/critic/", objective.names, losses)
    return gradient, metrics | by_name("value/", objective.names, values)


@dataclass(frozen=True)
class ActorGradients:
    """Gradients of the actor's loss."""

    member: Int[Tensor, "K B"]
    """The ensemble member whose value is the least; the other members' gradient is 0."""
    value: Float[Tensor, "K C"]
    """Of the least value: the same for every sample (C = 1), or C = B."""
    log_prob: Float[Tensor, ""]
    """Of the log density, the same for every sample."""


def actor_loss(
    values: Float[Tensor, "E K B"],
    log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
) -> tuple[ActorGradients, Metrics]:
    """Gradients and metrics of the mean of α log π − Σ_k share_k min_e Q_{e,k}.

    This is equation 7 of Haarnoja et al. for the weighted sum of values. Where each step has its
    own weights, it counts the values by its own.
    """
    size = len(log_prob)
    least, member = values.min(dim=0)
    mean_log_prob = log_prob.mean()
    cost = -objective.share
    if cost.shape[1] == 1:
        value_cost = least.mean(dim=-1) @ cost[:, 0]
    else:
        value_cost = (cost * least).sum(dim=0).mean()
    loss = torch.addcmul(value_cost, temperature, mean_log_prob)
    gradients = ActorGradients(member, cost / size, temperature / size)
    return gradients, {"loss/actor": loss, "policy/entropy": -mean_log_prob}


def temperature_loss(
    temperature: Float[Tensor, ""], entropy: Float[Tensor, ""], target_entropy: float
) -> tuple[Float[Tensor, ""], Metrics]:
    """Gradient of log α, and metrics, of α · (entropy − target entropy), the policy held fixed.

    This is equation 18 of Haarnoja et al.; entropies are in nats. As the loss is proportional to
    α, it is its own derivative by log α.
    """
    loss = temperature * (entropy - target_entropy)
    return loss, {"loss/temperature": loss}


def by_name(prefix: str, names: Sequence[str], values: Float[Tensor, " K"]) -> Metrics:
    """One scalar for each reward, under its name."""
    pairs = zip(names, values.unbind(), strict=True)
    return {f"{prefix}{name}": value for name, value in pairs}
