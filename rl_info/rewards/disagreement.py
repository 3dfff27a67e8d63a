"""Disagreement of forward models (Pathak et al., ICML 2019, arXiv 1906.04161)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.perceptron_ensemble import PerceptronEnsemble
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, StateNetworkConfig, needed_signals
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class DisagreementConfig(StateNetworkConfig):
    """Settings of the disagreement reward."""

    members: int = 5
    """Forward models in the ensemble."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("members", self.members >= 2, "at least 2")


class Disagreement(IntrinsicReward):
    """r = variance over E forward models of their predictions of s', averaged over dimensions.

    Each model predicts the standardised next state from state and action by least squares. Where
    data abound all agree, also on noise, whose mean they all predict: unlike a prediction error
    the variance vanishes there. Models differ by their initial parameters and see the same
    batches, as in the unsupervised RL benchmark. One stacked module holds all of them.
    """

    def __init__(
        self, context: RewardContext, config: DisagreementConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        self.models = PerceptronEnsemble(
            config.members,
            self.state.width + context.action_dim,
            config.hidden_dim,
            config.hidden_layers,
            self.state.width,
            generator,
        )

    def predict(self, batch: Transitions) -> Float[Tensor, "E B D"]:
        """Every model's standardised s'."""
        state = self.state(self.state.select(batch.obs, batch.signals))
        return self.models(torch.cat([state, batch.action], dim=-1))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Mean squared error of a model, summed over the models; advances the statistics."""
        self.state.learn(self.state.select(batch.obs, batch.signals))
        target = self.state(self.state.select(batch.next_obs, batch.next_signals))
        error = (self.predict(batch) - target).square().mean(dim=(1, 2))
        return error.sum(), {"prediction_error": error.detach().mean()}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Unbiased variance over the models, in squared standard deviations of the input."""
        return self.predict(batch).var(dim=0).mean(dim=-1)
