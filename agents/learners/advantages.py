"""Advantages of K rewards and their weighted sum."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def generalised_advantages(
    reward: Float[Tensor, "K T N"],
    value: Float[Tensor, "K T N"],
    next_value: Float[Tensor, "K T N"],
    discount: Float[Tensor, " K"],
    terminated: Bool[Tensor, "T N"],
    ended: Bool[Tensor, "T N"],
    lambda_: float,
) -> Float[Tensor, "K T N"]:
    """A_t = δ_t + γ_k λ A_{t+1}, δ_t = r_t + γ_k V(s_{t+1}) − V(s_t), for each reward k.

    `next_value` is that of the state each step led to, which counts unless the step `terminated`;
    nothing is carried back over a step that `ended` the episode or the skill (Schulman et al.,
    arXiv 1506.02438, eq. 16).
    """
    gamma = discount[:, None, None]
    error = reward + gamma * ~terminated * next_value - value
    carry = gamma * lambda_ * ~ended
    advantage = torch.empty_like(error)
    following = torch.zeros_like(error[:, 0])
    for step in reversed(range(error.shape[1])):
        following = error[:, step] + carry[:, step] * following
        advantage[:, step] = following
    return advantage


def weighted_sum(
    advantage: Float[Tensor, "K B"], weight: Float[Tensor, "K *B"], epsilon: float = 1e-8
) -> Float[Tensor, " B"]:
    """Σ_k w_k (A_k − μ_k) / σ_k over a batch (SLIM, arXiv 2402.00823).

    Each reward counts by its weight alone, whatever its units. A reward whose advantages do not
    differ by more than `epsilon` counts nothing rather than its rounding errors. Weights are the
    same for all steps, (K,), or each step has its own, (K, B).
    """
    deviation, mean = torch.std_mean(advantage, dim=-1, correction=0, keepdim=True)
    standard = (advantage - mean) / deviation.clamp_min(epsilon)
    standard = torch.where(deviation > epsilon, standard, 0.0)
    return weight @ standard if weight.ndim == 1 else (weight * standard).sum(dim=0)
