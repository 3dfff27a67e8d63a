"""Empowerment by an inverse model (Mohamed & Rezende, NeurIPS 2015, arXiv 1509.08731)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateNetworkConfig, needed_signals
from rl_info.rewards.step_input import StepInput
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class EmpowermentConfig(StateNetworkConfig):
    """Settings of the empowerment reward."""

    components: int = 4
    """Gaussians in each of the two densities of the action."""
    min_std: float = 0.05
    """Least deviation of a Gaussian of the action in [-1, 1]; bounds how much an action that the
    step reveals entirely is worth."""


class Empowerment(IntrinsicReward):
    """r = log q(a|s,s') − log ω(a|s): how much of the action the step to s' reveals, in nats.

    Averaged over steps it estimates I(A;S'|S) of the behaviour in the batch, the empowerment term
    E log q(a|s,s') + H(π(a|s)) of InfoPower (arXiv 2204.08585) on states. A batch does not carry
    log π, so the source ω is learned like the inverse model q: both are mixtures of Gaussians
    fitted by maximum likelihood. Limits: the mean of log q is at most −H(A|S,S') and that of
    −log ω at least H(A|S), so their sum is no bound on either side. ω is the average policy of the
    replayed steps over all skills. One step of one action only, not the channel capacity over
    open-loop sequences that the word first meant: the source follows the policy.
    """

    def __init__(
        self, context: RewardContext, config: EmpowermentConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StepInput(context, config.input, config.normaliser_rows)
        self.inverse, self.source = (
            ConditionalGaussianMixture(
                given,
                context.action_dim,
                components=config.components,
                hidden_dim=config.hidden_dim,
                hidden_layers=config.hidden_layers,
                generator=generator,
                min_std=config.min_std,
            )
            for given in (2 * self.state.width, self.state.width)
        )

    def log_densities(self, batch: Transitions) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """log q(a|s,s') and log ω(a|s) of each step, in nats."""
        state, change = self.state.step(batch)
        inverse = self.inverse(batch.action, torch.cat([state, change], dim=-1))
        return inverse, self.source(batch.action, state)

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean log q − mean log ω in nats; advances the input statistics."""
        self.state.learn_step(batch)
        inverse, source = self.log_densities(batch)
        return -(inverse + source).mean(), {
            "inverse_log_density": inverse.detach().mean(),
            "source_log_density": source.detach().mean(),
        }

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """log q(a|s,s') − log ω(a|s) in nats."""
        inverse, source = self.log_densities(batch)
        return inverse - source
