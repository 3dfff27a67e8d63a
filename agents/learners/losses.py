"""Losses of multi-critic soft actor-critic, as functions of tensors alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    next_values: Float[Tensor, "E B K"],
    next_log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
) -> Float[Tensor, "K B"]:
    """r_k + d_k (min_e Q_{e,k}(s', a') − α share_k log π(a'|s')).

    `discount` is 0 where the step terminated. For K = 1 and weight 1 this is the target of
    Haarnoja et al. (arXiv 1812.05905, eq. 5) with clipped double Q-learning.
    """
    value = next_values.amin(dim=0).T
    entropy_bonus = (temperature * objective.entropy_share())[:, None] * next_log_prob
    return reward + discount * (value - entropy_bonus)


def critic_loss(
    values: Float[Tensor, "E B K"], target: Float[Tensor, "K B"], objective: Objective
) -> tuple[Float[Tensor, ""], Metrics]:
    """Half the mean squared error in units of each scale, summed over members and rewards."""
    error = (values - target.T) / objective.scale
    losses = 0.5 * error.square().mean(dim=1).sum(dim=0)
    means = values.detach().mean(dim=(0, 1))
    metrics: Metrics = {}
    for name, loss, mean in zip(objective.names, losses.detach(), means, strict=True):
        metrics[f"loss/critic/{name}"] = loss
        metrics[f"value/{name}"] = mean
    return losses.sum(), metrics


def actor_loss(
    values: Float[Tensor, "E B K"],
    log_prob: Float[Tensor, " B"],
    temperature: Float[Tensor, ""],
    objective: Objective,
) -> tuple[Float[Tensor, ""], Metrics]:
    """Mean of α log π − Σ_k weight_k min_e Q_{e,k} / scale_k (eq. 7 of the same paper)."""
    combined = values.amin(dim=0) @ (objective.weight / objective.scale)
    entropy = -log_prob.mean()
    loss = -temperature * entropy - combined.mean()
    return loss, {"loss/actor": loss.detach(), "policy/entropy": entropy.detach()}


def temperature_loss(
    temperature: Float[Tensor, ""],
    log_prob: Float[Tensor, " B"],
    target_entropy: float,
) -> tuple[Float[Tensor, ""], Metrics]:
    """α · (entropy − target entropy), with the policy held fixed (eq. 18 of the same paper).

    `temperature` is α with its graph, `target_entropy` is in nats.
    """
    loss = temperature * (-log_prob.detach().mean() - target_entropy)
    return loss, {"loss/temperature": loss.detach()}
