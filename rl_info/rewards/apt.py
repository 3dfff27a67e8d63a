"""APT: active pre-training by particle entropy (Liu & Abbeel, NeurIPS 2021, arXiv 2103.04551)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, needed_signals
from rl_info.rewards.particles import ParticleConfig, ParticleEntropy
from rl_info.rewards.representations import (
    REPRESENTATIONS,
    RepresentationName,
    RepresentationSizes,
)
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class APTConfig(ParticleConfig):
    """Settings of the APT reward."""

    representation: RepresentationName = "inverse"
    """`inverse`: learned with the curiosity module; `random`: fixed; `identity`: the state."""
    feature_dim: int = 64
    """Features of the representation (the unsupervised RL benchmark uses 512)."""


class APT(IntrinsicReward):
    """r = log(1 + mean distance of φ(s') to its k nearest neighbours): go where few states are.

    φ comes from an inverse and forward model, the form for states of the unsupervised RL benchmark
    (arXiv 2110.15191); the paper learns it contrastively from pixels. Neighbours are searched
    among states of earlier batches, so that the value of a step does not depend on its batch.
    """

    def __init__(
        self, context: RewardContext, config: APTConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        sizes = RepresentationSizes(
            self.state.width,
            context.action_dim,
            config.feature_dim,
            config.hidden_dim,
            config.hidden_layers,
        )
        self.representation = REPRESENTATIONS[config.representation](sizes, generator)
        self.particles = ParticleEntropy(config, self.state.width)

    def encode(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B F"]:
        """φ(s) of raw states."""
        return self.representation(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Loss of the representation; advances input statistics and reference states."""
        before, after = self.state.both(batch).chunk(2)
        self.state.learn(after)
        self.particles.learn(after, self.encode)
        return self.representation.loss(self.state(before), batch.action, self.state(after)), {}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """log(1 + mean distance), 0 until there are reference states."""
        after = self.state.select(batch.next_obs, batch.next_signals)
        return self.particles(self.encode(after), self.encode)
