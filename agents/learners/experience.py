"""What the critics learn from: batches of single steps or of windows of steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from agents.learners.returns import n_step_return
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class Experience:
    """B actions with the rewards up to the observation to bootstrap from.

    P counts the outputs of all critics: a reward or, for successor features, one of its features.
    """

    obs: Float[Tensor, "B O"]
    skill: Float[Tensor, "B Z"]
    action: Float[Tensor, "B A"]
    reward: Float[Tensor, "P B"]
    """Discounted sum of each reward or feature up to the bootstrap."""
    discount: Float[Tensor, "P B"]
    """Of the bootstrap; 0 where there is none."""
    next_obs: Float[Tensor, "B O"]


def require_windows(size: int, valid: Bool[Tensor, "T B"] | None, steps: int) -> None:
    """Raise ValueError unless `valid` fits a batch of `size` rows in windows of so many steps."""
    fits = valid is not None and len(valid) == steps and valid.numel() == size
    if not fits and (valid is not None or steps > 1):
        raise ValueError(
            f"with n_step={steps}, update needs {steps}·B steps and a ({steps}, B) mask `valid`"
        )


def experience_of(
    batch: Transitions,
    rewards: Float[Tensor, "P R"],
    discount: Float[Tensor, " P"],
    valid: Bool[Tensor, "T B"] | None,
) -> Experience:
    """Of single steps, or of windows where `valid` tells which of their steps count."""
    if valid is None:
        return single_steps(batch, rewards, discount)
    return windows(batch, rewards, discount, valid)


def single_steps(
    batch: Transitions, rewards: Float[Tensor, "P B"], discount: Float[Tensor, " P"]
) -> Experience:
    """One reward, then the bootstrap."""
    return Experience(
        obs=batch.obs,
        skill=batch.skill,
        action=batch.action,
        reward=rewards,
        discount=discount[:, None] * ~batch.terminated,
        next_obs=batch.next_obs,
    )


def windows(
    batch: Transitions,
    rewards: Float[Tensor, "P R"],
    discount: Float[Tensor, " P"],
    valid: Bool[Tensor, "T B"],
) -> Experience:
    """The rewards of all valid steps of each window (row t·B + b of the batch), then the bootstrap.

    The skill is that of the first step.
    """
    steps, count = valid.shape
    terminated = batch.terminated.view(steps, count)
    summed = n_step_return(rewards.view(-1, steps, count), discount, terminated, valid)
    row = summed.last * count + torch.arange(count, device=valid.device)
    return Experience(
        obs=batch.obs[:count],
        skill=batch.skill[:count],
        action=batch.action[:count],
        reward=summed.reward,
        discount=summed.discount,
        next_obs=batch.next_obs[row],
    )
