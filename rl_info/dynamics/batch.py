"""The batch that a world model learns from."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class SequenceBatch:
    """B sequences of T consecutive observations, each with what led to it.

    Index t holds o_t together with the action, reward and end that came with it: the action is
    a_{t−1}. Where `is_first`, an episode begins: the action is ignored and the reward is 0.
    """

    obs: Shaped[Tensor, "B T *O"]
    """uint8 images (H, W, C) or float32 vectors."""
    action: Float[Tensor, "B T A"]
    """The action in [-1, 1] that led to the observation."""
    reward: Float[Tensor, "B T"]
    """The reward received on arriving at the observation."""
    terminated: Bool[Tensor, "B T"]
    """Whether the episode ended there by itself; a time limit does not count."""
    is_first: Bool[Tensor, "B T"]
    """Whether the observation is the first of its episode."""
