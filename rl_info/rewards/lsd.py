"""LSD: Lipschitz-constrained skill discovery (Park et al., ICLR 2022, arXiv 2202.00914)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.spectral import SpectralMLP
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateEmbedding, StateInput, StateNetworkConfig, needed_signals
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class LSDConfig(StateNetworkConfig):
    """Settings of the LSD reward."""

    isotropic: bool = False
    """Divide all dimensions of the input by one number instead of each by its own deviation: for
    places, whose distance in metres it keeps but for a factor."""


class LSD(IntrinsicReward, StateEmbedding):
    """r = (φ(s') − φ(s))ᵀ z with φ 1-Lipschitz in the Euclidean distance of its input.

    φ maximises the same r (algorithm 1 of the paper); spectral normalisation keeps the constraint,
    so there is no multiplier. "Distance" is that of the standardised input.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})

    def __init__(
        self, context: RewardContext, config: LSDConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows, config.isotropic)
        hidden = (config.hidden_dim,) * config.hidden_layers
        self.phi = SpectralMLP((self.state.width, *hidden, context.skill.dim), generator)

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states."""
        return self.phi(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean r; also advances the input statistics and the singular-value estimates."""
        self.state.learn(self.state.select(batch.obs, batch.signals))
        self.phi.refine()
        return -self(batch).mean(), {}

    def forward(self, batch: Transitions) -> Float[Tensor, B]:
        """(φ(s') − φ(s))ᵀ z, dimensionless."""
        before, after = self.embed(self.state.both(batch)).chunk(2)
        return ((after - before) * self.context.skill.direction(batch.skill)).sum(dim=-1)
