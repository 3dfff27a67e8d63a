"""Rewards that are linear in features of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor

from rl_info.transitions import Transitions


class LinearReward(ABC):
    """Marks a reward that is linear in F features of a step: r = fᵀw, with w given by the skill.

    A learner may then give it a critic of the vector ψ = E Σ_t γᵗ f_t, the successor features, from
    which the value is read as Q = ψᵀw (Barreto et al., arXiv 1606.05312): each feature is a target
    of its own, and the skill enters the value exactly as it enters the reward.
    """

    feature_dim: int
    """F."""
    successor_features: bool = True
    """Whether its critic learns ψ; without, it learns the value alone."""

    @abstractmethod
    def features(self, batch: Transitions) -> Float[Tensor, "B F"]:
        """f of each step, float32."""

    @abstractmethod
    def readout(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "B F"]:
        """w of each skill."""

    def read(
        self, features: Float[Tensor, "B F"], skill: Float[Tensor, "B Z"]
    ) -> Float[Tensor, " B"]:
        """fᵀw."""
        return (features * self.readout(skill)).sum(dim=-1)
