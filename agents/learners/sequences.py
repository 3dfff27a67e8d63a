"""Sequences of consecutive observations, what a learner with a world model learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from rl_info.dynamics.batch import SequenceBatch


@dataclass(frozen=True)
class Sequences:
    """B sequences of T consecutive observations of one world each, which may cross episodes.

    Index t holds o_t with what led to it: action, reward, end and the skill that chose the action.
    Where `is_first`, an episode begins: action and reward are 0 and the skill is that of the next
    action. An observation at which an episode ended is followed by the first of the next one.
    """

    obs: Shaped[Tensor, "B T *O"]
    """uint8 images (H, W, C) or float32 vectors."""
    action: Float[Tensor, "B T A"]
    """Action in [-1, 1], before scaling to the bounds of the environment."""
    reward: Float[Tensor, "B T"]
    terminated: Bool[Tensor, "B T"]
    truncated: Bool[Tensor, "B T"]
    is_first: Bool[Tensor, "B T"]
    skill: Float[Tensor, "B T Z"]
    signals: Mapping[str, Float[Tensor, "B T _"]]
    """Side signals at the observation."""

    def for_model(self) -> SequenceBatch:
        """The part that a world model learns from."""
        return SequenceBatch(self.obs, self.action, self.reward, self.terminated, self.is_first)
