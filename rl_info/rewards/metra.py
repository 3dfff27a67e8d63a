"""METRA: metric-aware abstraction (Park et al., ICLR 2024, arXiv 2310.08887)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateEmbedding, StateInput, StateNetworkConfig, needed_signals
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class METRAConfig(StateNetworkConfig):
    """Settings of the METRA reward."""

    distance: Literal["paper", "code"] = "paper"
    """‖φ(s') − φ(s)‖² summed over the skill's dimensions (paper) or averaged (reference code)."""
    slack: float = 1e-3
    """ε: the constraint counts as met up to this much."""
    initial_multiplier: float = 30.0
    """λ at the start."""


class METRA(IntrinsicReward, StateEmbedding):
    """r = (φ(s') − φ(s))ᵀ z with ‖φ(s') − φ(s)‖ ≤ 1 for every adjacent pair of states.

    φ ascends E[r + λ·min(ε, 1 − ‖φ(s') − φ(s)‖²)] and log λ descends E[log λ · min(…)] with the
    other side held fixed: dual descent (algorithm 1 of the paper), where temporal distance
    replaces the Euclidean one of LSD.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})

    def __init__(
        self, context: RewardContext, config: METRAConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        if config.initial_multiplier <= 0:
            raise ValueError(f"initial_multiplier must be > 0, got {config.initial_multiplier}")
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        self.phi = perceptron(
            self.state.width,
            config.hidden_dim,
            config.hidden_layers,
            context.skill.dim,
            generator,
        )
        self.log_multiplier = nn.Parameter(torch.tensor(math.log(config.initial_multiplier)))

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states."""
        return self.phi(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Loss of φ plus loss of log λ (disjoint gradients); advances the input statistics."""
        self.state.learn(self.state.select(batch.obs, batch.signals))
        step = self.displacement(batch)
        reward = self._value(step, batch)
        squared = step.square().sum(dim=-1)
        if self.config.distance == "code":
            squared = squared / step.shape[-1]
        slack = (1.0 - squared).clamp_max(self.config.slack)
        multiplier = self.log_multiplier.exp().detach()
        phi_loss = -(reward + multiplier * slack).mean()
        dual_loss = self.log_multiplier * slack.detach().mean()
        return phi_loss + dual_loss, {
            "multiplier": multiplier,
            "constraint_slack": slack.detach().mean(),
            "squared_step": squared.detach().mean(),
        }

    def displacement(self, batch: Transitions) -> Float[Tensor, "B Z"]:
        """φ(s') − φ(s)."""
        before, after = self.embed(self.state.both(batch)).chunk(2)
        return after - before

    def forward(self, batch: Transitions) -> Float[Tensor, B]:
        """(φ(s') − φ(s))ᵀ z, dimensionless: at most ‖z‖ for each step once φ meets its bound."""
        return self._value(self.displacement(batch), batch)

    def _value(self, step: Float[Tensor, "B Z"], batch: Transitions) -> Float[Tensor, B]:
        return (step * self.context.skill.direction(batch.skill)).sum(dim=-1)
