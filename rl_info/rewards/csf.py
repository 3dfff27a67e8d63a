"""CSF: contrastive successor features (Zheng et al., ICLR 2025, arXiv 2412.08021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.draws import SavedGenerator
from rl_info.rewards.inputs import StateEmbedding, StateInput, StateNetworkConfig, needed_signals
from rl_info.rewards.linear import LinearReward
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class CSFConfig(StateNetworkConfig):
    """Settings of the CSF reward."""

    contrast: float = 5.0
    """ξ: weight of the contrastive term."""
    negatives: int = 256
    """Skills drawn from the prior for the contrastive term."""
    successor_features: bool = True
    """The critic learns successor features ψ, as in the paper; without, a scalar value."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("contrast", 0 < self.contrast < math.inf, "finite and positive")
        self.require("negatives", self.negatives >= 1, "at least 1")


class CSF(IntrinsicReward, StateEmbedding, LinearReward):
    """r = (φ(s') − φ(s))ᵀ z, where a contrastive term keeps φ's steps short.

    φ maximises E[(φ(s') − φ(s))ᵀz − ξ log mean_j exp((φ(s') − φ(s))ᵀz_j)] over fresh z_j ~ p(z):
    no multiplier and no constraint, because the term grows as METRA's penalty ‖φ(s') − φ(s)‖²
    does for short steps (with ξ = 1 it is InfoNCE with the skill's inner product as critic).
    The critic learns ψ(s, a, z) with the target φ(s') − φ(s) + γ ψ(s', a', z) and Q = ψᵀz
    as in the paper. A discrete z stands for its direction (`SkillSpec.direction`) in reward and
    critic alike, where the critic of the released code reads the one-hot.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})

    def __init__(
        self, context: RewardContext, config: CSFConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        layers = (config.hidden_dim, config.hidden_layers)
        self.phi = perceptron(self.state.width, *layers, context.skill.dim, generator)
        self.draws = SavedGenerator(generator)
        self.feature_dim = context.skill.dim
        self.successor_features = config.successor_features

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states."""
        return self.phi(self.state(state))

    def features(self, batch: Transitions) -> Float[Tensor, "B Z"]:
        """φ(s') − φ(s)."""
        before, after = self.embed(self.state.both(batch)).chunk(2)
        return after - before

    def readout(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """The direction that each skill stands for."""
        return self.context.skill.direction(skill)

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−E[r] + ξ E[log mean_j exp(…)]; advances the input statistics, draws the z_j."""
        self.state.learn(self.state.select(batch.obs, batch.signals))
        step = self.features(batch)
        skill = self.context.skill
        others = skill.direction(self.draws.skills(skill, self.config.negatives, step.device))
        contrast = (step @ others.T).logsumexp(dim=-1) - math.log(len(others))
        loss = self.config.contrast * contrast - self.read(step, batch.skill)
        return loss.mean(), {
            "contrast": contrast.detach().mean(),
            "squared_step": step.detach().square().sum(dim=-1).mean(),
        }

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """(φ(s') − φ(s))ᵀ z, dimensionless."""
        return self.read(self.features(batch), batch.skill)
