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
from rl_info.rewards.particles import ParticleConfig, ParticleEntropy
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class APSConfig(ParticleConfig):
    """Settings of the APS reward."""


class APS(IntrinsicReward):
    """r = log(1 + mean distance of φ(s') to its k nearest) + φ̄(s')ᵀ w, φ̄ = φ/‖φ‖.

    The skill w is uniform on the sphere and φ̄ᵀw the log-density of a von Mises–Fisher
    distribution of w around φ̄ with concentration 1, up to a constant; φ maximises it. Together a
    lower bound of I(S;W) = H(S) − H(S|W) up to scale: explore, and let w tell where one is. The
    entropy is of φ before normalisation, as in the unsupervised RL benchmark. Limits: an ordinary
    critic of r learns the values, where the paper has a vector of successor features for φ̄ᵀw;
    w cannot be inferred from a task's rewards by regression on a critic of this kind.
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

    def encode(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states, not normalised."""
        return self.phi(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean φ̄(s')ᵀw; advances input statistics and reference states."""
        after = self.state.select(batch.next_obs, batch.next_signals)
        self.state.learn(after)
        self.particles.learn(after, self.encode)
        return -self._alignment(self.encode(after), batch).mean(), {}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Particle entropy plus the cosine of φ(s') and w."""
        features = self.encode(self.state.select(batch.next_obs, batch.next_signals))
        return self.particles(features, self.encode) + self._alignment(features, batch)

    def _alignment(self, features: Float[Tensor, "B Z"], batch: Transitions) -> Float[Tensor, " B"]:
        return (normalize(features, dim=-1) * batch.skill).sum(dim=-1)
