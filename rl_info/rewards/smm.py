"""SMM: state marginal matching (Lee et al., arXiv 1906.05274)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture
from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, StateNetworkConfig, needed_signals
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class SMMConfig(StateNetworkConfig):
    """Settings of the SMM reward."""

    components: int = 16
    """Gaussians in the density of states."""
    min_std: float = 0.05
    """Least deviation of a Gaussian, in standard deviations of the input."""
    density_weight: float = 1.0
    """Weight of −log ρ(s'|z)."""
    skill_weight: float = 1.0
    """Weight of log q(z|s') − log p(z)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("density_weight", "skill_weight"):
            self.require(name, 0 <= getattr(self, name) < math.inf, "finite, not negative")


class SMM(IntrinsicReward):
    """r = −log ρ(s'|z) + log q(z|s') − log p(z), in nats: spread out, each skill elsewhere.

    Matches the mixture of all skills to a uniform target, whose constant log p*(s') is dropped: the
    paper's reward for mixtures of policies. ρ is a mixture of Gaussians given the skill, where the
    paper has a variational autoencoder, of whose density only a bound is known. Learned from
    replay, ρ is the density of all past policies, the averaging that the paper asks for. Without
    skills it is −log ρ(s') alone. In public code a skill that is hard to tell raises the reward;
    here it lowers it, as in the paper. Density is that of the standardised input.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"none", "discrete"})

    def __init__(
        self, context: RewardContext, config: SMMConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        skills, layers = context.skill.dim, (config.hidden_dim, config.hidden_layers)
        self.density = ConditionalGaussianMixture(
            skills,
            self.state.width,
            components=config.components,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            generator=generator,
            min_std=config.min_std,
        )
        self.discriminator: nn.Module | None = None
        if skills:
            self.discriminator = perceptron(self.state.width, *layers, skills, generator)

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean log ρ(s'|z) − mean log q(z|s') in nats; advances the input statistics."""
        self.state.learn(self.state.select(batch.next_obs, batch.next_signals))
        log_density, log_ratio = self._terms(batch)
        return -(log_density + log_ratio).mean(), {
            "log_density": log_density.detach().mean(),
            "skill_information": log_ratio.detach().mean(),
        }

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Weighted −log ρ(s'|z) and log q(z|s') − log p(z), in nats."""
        log_density, log_ratio = self._terms(batch)
        return self.config.skill_weight * log_ratio - self.config.density_weight * log_density

    def _terms(self, batch: Transitions) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """log ρ(s'|z) and log q(z|s') − log p(z)."""
        state = self.state(self.state.select(batch.next_obs, batch.next_signals))
        log_density = self.density(state, batch.skill)
        if self.discriminator is None:
            return log_density, torch.zeros_like(log_density)
        log_likelihood = (log_softmax(self.discriminator(state), dim=-1) * batch.skill).sum(dim=-1)
        return log_density, log_likelihood + math.log(self.context.skill.dim)
