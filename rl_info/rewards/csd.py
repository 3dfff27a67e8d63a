"""CSD: controllability-aware skill discovery (Park et al., ICML 2023, arXiv 2302.05103)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture
from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.dual import DualConstraint
from rl_info.rewards.inputs import StateEmbedding, StateNetworkConfig, needed_signals
from rl_info.rewards.step_input import StepInput
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class CSDConfig(StateNetworkConfig):
    """Settings of the CSD reward."""

    distance: Literal["paper", "code"] = "paper"
    """`paper`: Mahalanobis distance and ‖φ(s') − φ(s)‖² summed over their dimensions; `code`: both
    averaged, and the deviations divided by their geometric mean, as the released code does."""
    slack: float = 1e-3
    """ε: the constraint counts as met up to this much."""
    initial_multiplier: float = 3000.0
    """λ at the start."""
    min_std: float = 1e-2
    """Least deviation of the density of the standardised change: a dimension that never changes
    would make every distance infinite."""


class CSD(IntrinsicReward, StateEmbedding):
    """r = (φ(s') − φ(s))ᵀ z, where φ may move further the less likely a transition is.

    As METRA, with the constraint ‖φ(s') − φ(s)‖² ≤ d(s,s') = (s' − μ(s))ᵀ Σ(s)⁻¹ (s' − μ(s)): a
    Gaussian density q(s'|s), fitted to the steps of the policy, gives −2 log q up to terms of s.
    What the agent rarely brings about, such as moving an object, is far; its own habits are near.
    s' − s is standardised, which d in its paper form ignores.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})
    state: StepInput

    def __init__(
        self, context: RewardContext, config: CSDConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StepInput(context, config.input, config.normaliser_rows)
        width, layers = self.state.width, (config.hidden_dim, config.hidden_layers)
        self.phi = perceptron(width, *layers, context.skill.dim, generator)
        self.density = ConditionalGaussianMixture(
            width,
            width,
            components=1,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            generator=generator,
            min_std=config.min_std,
        )
        self.constraint = DualConstraint(config.initial_multiplier, config.slack)

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states."""
        return self.phi(self.state(state))

    def displacement(self, batch: Transitions) -> Float[Tensor, "B Z"]:
        """φ(s') − φ(s)."""
        before, after = self.embed(self.state.both(batch)).chunk(2)
        return after - before

    @torch.no_grad()
    def distance(self, batch: Transitions) -> Float[Tensor, " B"]:
        """d(s, s') of each step, by the density as it is now; dimensionless."""
        state, change = self.state.step(batch)
        _, mean, log_std = self.density.mixture(state)
        if self.config.distance == "code":
            log_std = log_std - log_std.mean(dim=-1, keepdim=True)
        squares = ((change - mean[:, 0]) * torch.exp(-log_std[:, 0])).square()
        return self._reduce(squares)

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Losses of φ, of log λ and of the density (nats), whose gradients are disjoint."""
        self.state.learn_step(batch)
        state, change = self.state.step(batch)
        likelihood = self.density(change, state).mean()
        step = self.displacement(batch)
        allowed = self.distance(batch)
        squared = self._reduce(step.square())
        loss, metrics = self.constraint(self._value(step, batch), allowed - squared)
        return loss - likelihood, metrics | {
            "squared_step": squared.detach().mean(),
            "distance": allowed.mean(),
            "log_density": likelihood.detach(),
        }

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """(φ(s') − φ(s))ᵀ z, dimensionless."""
        return self._value(self.displacement(batch), batch)

    def _reduce(self, squares: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        return squares.mean(dim=-1) if self.config.distance == "code" else squares.sum(dim=-1)

    def _value(self, step: Float[Tensor, "B Z"], batch: Transitions) -> Float[Tensor, " B"]:
        return (step * self.context.skill.direction(batch.skill)).sum(dim=-1)
