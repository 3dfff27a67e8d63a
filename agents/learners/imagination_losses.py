"""What actor and critics learn from imagined steps, as functions of tensors alone."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from agents.learners.losses import Metrics
from agents.learners.returns import lambda_return


def imagined_returns(
    reward: Float[Tensor, "P H N"],
    values: Float[Tensor, "P G N"],
    goes_on: Float[Tensor, "H N"],
    discount: Float[Tensor, " P"],
    lambda_: float,
) -> Float[Tensor, "P H N"]:
    """λ-returns of H steps for each of P outputs, given the values of all H + 1 states.

    G_h = r_h + γ_p c_h [(1 − λ) v_{h+1} + λ G_{h+1}], c_h the probability that the episode goes on
    at the state that step h leads to (DreamerV3, arXiv 2301.04104, equation 5).
    """
    factor = discount[:, None, None] * goes_on
    following = values[:, 1:]
    found = lambda_return(
        reward.transpose(0, 1), following.transpose(0, 1), factor.transpose(0, 1), lambda_
    )
    return found.transpose(0, 1)


@dataclass(frozen=True)
class ScoreGradients:
    """Gradients of the actor's loss, for every draw."""

    log_prob: Float[Tensor, " B"]
    entropy: Float[Tensor, " B"]


def score_loss(
    log_prob: Float[Tensor, " B"],
    advantage: Float[Tensor, " B"],
    entropy: Float[Tensor, " B"],
    weight: Float[Tensor, " B"],
    entropy_coefficient: float,
) -> tuple[ScoreGradients, Metrics]:
    """Gradients and metrics of −mean w (A · log π(u|s) + c · H(π(·|s))), A and w held fixed.

    REINFORCE (Williams, 1992), as DreamerV3 uses it: unbiased through the draws of latents, right
    for rewards without derivatives such as distances to neighbours, and without a way back through
    the steps of the model, which costs twice what they do.
    """
    size = len(log_prob)
    of_log_prob = -(weight * advantage) / size
    of_entropy = weight * (-entropy_coefficient / size)
    loss = (of_log_prob * log_prob).sum() + (of_entropy * entropy).sum()
    gradients = ScoreGradients(of_log_prob, of_entropy)
    return gradients, {"loss/actor": loss, "policy/entropy": entropy.mean()}


def combined_advantage(
    advantage: Float[Tensor, "K B"], scale: Float[Tensor, " K"], weight: Float[Tensor, "K *B"]
) -> Float[Tensor, " B"]:
    """Σ_k w_k A_k / scale_k; the weights are the same for all steps, (K,), or each has its own."""
    share = weight if weight.ndim == 2 else weight[:, None]
    return (share * advantage / scale[:, None]).sum(dim=0)
