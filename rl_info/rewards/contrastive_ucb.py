"""Contrastive-UCB: optimism in learned features (Qiu et al., ICML 2022, arXiv 2207.14800)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, StateNetworkConfig, needed_signals
from rl_info.transitions import Transitions

SMALLEST_FEATURE = 1e-6
"""Keeps ψ, hence the ratio h, above zero, where log(1 + 1/h) has its pole."""


@dataclass(frozen=True)
class ContrastiveUCBConfig(StateNetworkConfig):
    """Settings of the contrastive upper-confidence-bound reward."""

    feature_dim: int = 32
    """Rank d of the factorisation."""
    bonus_scale: float = 1.0
    """β: factor on the bonus."""
    ridge: float = 1.0
    """Multiple of the identity in Λ at the start."""
    forgetting: float = 1.0
    """Factor on Λ before each batch counts; below 1 old features fade as φ changes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("bonus_scale", 0 < self.bonus_scale < math.inf, "finite and positive")
        self.require("ridge", 0 < self.ridge < math.inf, "finite and positive")
        self.require("forgetting", 0 < self.forgetting <= 1, "in (0, 1]")


class ContrastiveUCB(IntrinsicReward):
    """r = β √(φ(s,a)ᵀ Λ⁻¹ φ(s,a)) with Λ = Σ φφᵀ + ridge·I: try what was tried little.

    φ minimises E[y log(1 + 1/h) + (1 − y) log(1 + h)] with h = ψ(s')ᵀφ(s,a): y = 1 for the s' that
    followed, 0 for one from other steps. The optimum is h = P(s'|s,a)/P⁻(s'), P⁻ the distribution
    of all s' in the batches. All other rows of a batch serve as negatives, y = 0 and 1 with equal
    weight. φ is a softmax, ψ positive: any low-rank model with non-negative factors can be written
    so, and ‖φ‖ ≤ 1 as the paper assumes. Limits: Λ sums the rows given to `loss`, where replay
    shows a step several times, with φ as it was then; β absorbs the first, `forgetting` the
    second, at the price of a bonus that no longer vanishes.
    """

    covariance: Tensor

    def __init__(
        self, context: RewardContext, config: ContrastiveUCBConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        width, layers = self.state.width, (config.hidden_dim, config.hidden_layers)
        rank = config.feature_dim
        self.phi = perceptron(width + context.action_dim, *layers, rank, generator)
        self.psi = perceptron(width, *layers, rank, generator)
        covariance = torch.zeros(rank, rank, dtype=torch.float64)
        self.register_buffer("covariance", covariance)

    def features(self, batch: Transitions) -> Float[Tensor, "B F"]:
        """φ(s, a): positive, summing to 1."""
        state = self.state(self.state.select(batch.obs, batch.signals))
        return self.phi(torch.cat([state, batch.action], dim=-1)).softmax(dim=-1)

    def ratios(self, batch: Transitions) -> Float[Tensor, "B B"]:
        """h of every (s, a) of a row with every s' of a column: P(s'|s,a)/P⁻(s'), learned."""
        return self.features(batch) @ self._next_features(batch).T

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Mean contrastive loss in nats, ln 2 if nothing can be told; advances Λ.

        Raises ValueError for a single row, which has no negatives.
        """
        rows = len(batch.obs)
        if rows < 2:
            raise ValueError("contrastive_ucb learns from batches of at least 2 steps, got 1")
        self.state.learn(self.state.select(batch.obs, batch.signals))
        features = self.features(batch)
        log_ratio = (features @ self._next_features(batch).T).log()
        own = log_ratio.diagonal()
        # log(1 + 1/h) and log(1 + h); the sum over all pairs less the true ones.
        positive = softplus(-own).mean()
        negative = (softplus(log_ratio).sum() - softplus(own).sum()) / (rows * (rows - 1))
        rows_seen = features.detach().double()
        self.covariance.mul_(self.config.forgetting).add_(rows_seen.T @ rows_seen)
        return 0.5 * (positive + negative), {"log_ratio": own.detach().mean()}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """β √(φᵀΛ⁻¹φ), at most β/√ridge."""
        ridge = self.config.ridge * torch.eye(len(self.covariance)).to(self.covariance)
        factor = torch.linalg.cholesky(self.covariance + ridge)
        features = self.features(batch)
        white = torch.linalg.solve_triangular(factor, features.T.double(), upper=False)
        return self.config.bonus_scale * white.square().sum(dim=0).sqrt().to(features.dtype)

    def _next_features(self, batch: Transitions) -> Float[Tensor, "B F"]:
        """ψ(s'), above zero."""
        after = self.state(self.state.select(batch.next_obs, batch.next_signals))
        return softplus(self.psi(after)) + SMALLEST_FEATURE
