"""RND: random network distillation (Burda et al., ICLR 2019, arXiv 1810.12894)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn import RunningNormaliser
from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, StateNetworkConfig, needed_signals
from rl_info.transitions import Transitions

INPUT_CLIP = 5.0
"""Standard deviations beyond which inputs are clipped (as in the paper)."""


@dataclass(frozen=True)
class RNDConfig(StateNetworkConfig):
    """Settings of the RND reward."""

    feature_dim: int = 64
    """Outputs of the random network."""


class RND(IntrinsicReward):
    """r = mean_f (f̂(s') − f(s'))² / running standard deviation of such errors.

    f is a random network that never learns, f̂ is fitted to it on the states met: the error falls
    where states are met often. The standardised input is clipped to ±5. The paper divides by the
    deviation of discounted returns; errors of single steps are divided here, because a reward sees
    no returns. Limits: the error also depends on how hard f is to fit at s', not on counts alone,
    and a network that generalises too well calls new states known.
    """

    def __init__(
        self, context: RewardContext, config: RNDConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        sizes = self.state.width, config.hidden_dim, config.hidden_layers, config.feature_dim
        self.target = perceptron(*sizes, generator).requires_grad_(False)
        self.predictor = perceptron(*sizes, generator)
        self.error_statistics = RunningNormaliser(1)

    def error(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Mean squared error over the features at s'."""
        state = self.state.select(batch.next_obs, batch.next_signals)
        clipped = self.state(state).clamp(-INPUT_CLIP, INPUT_CLIP)
        return (self.predictor(clipped) - self.target(clipped)).square().mean(dim=-1)

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Mean error; advances the statistics of inputs and of errors."""
        self.state.learn(self.state.select(batch.next_obs, batch.next_signals))
        error = self.error(batch)
        self.error_statistics.observe(error.detach()[:, None])
        return error.mean(), {}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """The error in units of its running standard deviation, never negative."""
        return self.error(batch) * self.error_statistics.inverse_std
