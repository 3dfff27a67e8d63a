"""Targets of value functions: n-step and λ-returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class NStepReturn:
    """Discounted rewards up to a bootstrap, and what is left to bootstrap."""

    reward: Float[Tensor, "K B"]
    """Σ_{t<n} γ_k^t r_{k,t} over the valid steps."""
    discount: Float[Tensor, "K B"]
    """γ_k^n for n valid steps; 0 where the last of them terminated."""
    last: Int[Tensor, " B"]
    """Index n − 1 of the last valid step, whose next state is the one to bootstrap from."""


def n_step_return(
    reward: Float[Tensor, "K T B"],
    discount: Float[Tensor, " K"],
    terminated: Bool[Tensor, "T B"],
    valid: Bool[Tensor, "T B"],
) -> NStepReturn:
    """Sum K rewards over the valid leading steps of B sequences (Sutton and Barto, eq. 7.1).

    `valid` must be True at the first step and stay False once it is False. A step that is
    terminated or truncated is itself valid and the last valid one; only the first kind removes the
    bootstrap.
    """
    steps = torch.arange(len(valid), device=valid.device)
    powers = discount[:, None] ** steps
    summed = torch.einsum("kt,ktb->kb", powers, torch.where(valid, reward, 0.0))
    last = valid.sum(dim=0) - 1
    ended = terminated.gather(0, last[None])[0]
    return NStepReturn(summed, discount[:, None] ** (last + 1) * ~ended, last)


def lambda_return(
    reward: Float[Tensor, " T *B"],
    next_value: Float[Tensor, " T *B"],
    discount: Float[Tensor, " T *B"],
    lambda_: float,
) -> Float[Tensor, " T *B"]:
    """λ-returns G_t = r_t + d_t ((1 − λ) v_{t+1} + λ G_{t+1}), with G_T = v_T after the last step.

    `next_value[t]` is the value of the state after step t and `discount[t]` is γ, or 0 where step t
    terminated (Sutton and Barto, eq. 12.18; Hafner et al., arXiv 2301.04104, eq. 5).

    Raises ValueError unless 0 <= λ <= 1.
    """
    if not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda must be in [0, 1], got {lambda_}")
    mixed = reward + discount * (1 - lambda_) * next_value
    carry = discount * lambda_
    result = torch.empty_like(mixed)
    following = next_value[-1]
    for step in reversed(range(len(reward))):
        following = mixed[step] + carry[step] * following
        result[step] = following
    return result
