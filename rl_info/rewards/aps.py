"""APS: active pre-training with successor features (Liu & Abbeel, ICML 2021, arXiv 2108.13956)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, needed_signals
from rl_info.rewards.linear import LinearReward
from rl_info.rewards.particles import ParticleConfig, ParticleEntropy
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class APSConfig(ParticleConfig):
    """Settings of the APS reward."""

    successor_features: bool = True
    """The critic learns successor features ψ, as in the paper; without, a scalar value."""


class APS(IntrinsicReward, LinearReward):
    """r = log(1 + mean distance of φ(s') to its k nearest) + φ̄(s')ᵀ w, φ̄ = φ/‖φ‖.

    The skill w is uniform on the sphere and φ̄ᵀw the log-density of a von Mises–Fisher
    distribution of w around φ̄ with concentration 1, up to a constant; φ maximises it. Together a
    lower bound of I(S;W) = H(S) − H(S|W) up to scale: explore, and let w tell where one is. The
    entropy is of φ before normalisation, as in the unsupervised RL benchmark.

    The critic learns ψ(s, a, w), the discounted sums of φ̄ and, as one feature more that counts 1
    for every w, of the entropy: Q is ψᵀw plus the entropy term. The authors' code trains ψ by the
    error of ψᵀw against the whole reward, which leaves all of ψ across w undetermined; here each
    feature has a target of its own. Limits: w of a task is not inferred from its rewards.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"continuous"})

    def __init__(
        self, context: RewardContext, config: APSConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        layers = (config.hidden_dim, config.hidden_layers)
        self.phi = perceptron(self.state.width, *layers, context.skill.dim, generator)
        self.particles = ParticleEntropy(config, self.state.width)
        self.feature_dim = context.skill.dim + 1
        self.successor_features = config.successor_features

    def encode(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states, not normalised."""
        return self.phi(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean φ̄(s')ᵀw; advances input statistics and reference states."""
        after = self.state.select(batch.next_obs, batch.next_signals)
        self.state.learn(after)
        self.particles.learn(after, self.encode)
        alignment = (normalize(self.encode(after), dim=-1) * batch.skill).sum(dim=-1)
        return -alignment.mean(), {}

    def features(self, batch: Transitions) -> Float[Tensor, "B F"]:
        """φ̄(s'), then the particle entropy."""
        features = self.encode(self.state.select(batch.next_obs, batch.next_signals))
        entropy = self.particles(features, self.encode)
        return torch.cat([normalize(features, dim=-1), entropy[:, None]], dim=-1)

    def readout(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "B F"]:
        """w, then 1."""
        return torch.cat([skill, skill.new_ones(len(skill), 1)], dim=-1)

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Particle entropy plus the cosine of φ(s') and w."""
        return self.read(self.features(batch), batch.skill)
