"""Training and planning that the tests of rewards on tiny worlds share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rl_info.rewards import IntrinsicReward
from rl_info.transitions import Transitions


def train(
    reward: IntrinsicReward, draw: Callable[[int], Transitions], updates: int, rate: float = 3e-3
) -> dict[str, Tensor]:
    """Let a reward learn from fresh batches of 256 steps; returns the last metrics."""
    optimiser = torch.optim.Adam(reward.parameters(), lr=rate)
    metrics: dict[str, Tensor] = {}
    for _ in range(updates):
        loss, metrics = reward.loss(draw(256))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return metrics


def best_actions(value: Tensor, following: Tensor, discount: float) -> Tensor:
    """Greedy actions (S,) of value iteration on rewards and next states, both (S, A)."""
    future = torch.zeros(len(value))
    for _ in range(200):
        action_value = value + discount * future[following]
        future = action_value.amax(dim=-1)
    return action_value.argmax(dim=-1)
