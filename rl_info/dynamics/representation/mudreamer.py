"""Prediction of values and previous actions instead of observations, after MuDreamer."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rl_info.dynamics.heads import TwoHotHead
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    Observed,
    RepresentationObjective,
)
from rl_info.dynamics.representation.inverse import ActionDensities, masked_mean, transitions


@dataclass(frozen=True)
class MuDreamerConfig:
    """Settings of value and action prediction."""

    discount: float = 0.997
    """Discount of the predicted value."""
    trace: float = 0.95
    """λ of the returns that it learns from."""
    target_rate: float = 0.02
    """Share by which the value's slow copy moves at each update."""
    components: int = 1
    """Gaussians in the density of the action."""
    min_std: float = 0.05
    """Least deviation of a Gaussian of the action."""


class MuDreamerObjective(RepresentationObjective):
    """−ln q(G_t | h_t, z_t) − ln q(a_{t−1} | z_{t−1}, z_t), after MuDreamer (arXiv 2405.15083).

    G_t is the λ-return of the replayed rewards under the behaviour that was recorded, from a slow
    copy of the same value head; MuDreamer takes its critic's. Its batch normalisation and its
    other KL weights are left out, so that objectives differ in nothing else: MuDreamer-like.
    """

    def __init__(
        self, context: ModelContext, config: MuDreamerConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        size = context.size
        self.config = config
        self.value = TwoHotHead(size.feature, size.units, 1, generator)
        self.slow_value = copy.deepcopy(self.value).requires_grad_(False)
        self.densities = ActionDensities(
            context, components=config.components, min_std=config.min_std, generator=generator
        )
        # No source: nothing here estimates information.
        self.densities.source.requires_grad_(False)
        self.scales = {"value": 1.0, "inverse": 1.0}

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """Both negative log likelihoods in nats."""
        config, batch = self.config, observed.batch
        feature = observed.posterior.feature
        with torch.no_grad():
            values = self.slow_value(feature, observed.dtype)
            returns = replayed_returns(
                values, batch.reward, batch.terminated, batch.is_first,
                config.discount, config.trace,
            )  # fmt: skip
        value = -self.value.log_prob(feature[:, :-1], returns, observed.dtype).mean()
        before, after, action, within = transitions(observed.posterior, batch)
        inverse = -masked_mean(self.densities.inverse_log_prob(before, after, action), within)
        metrics = {"value_target": returns.mean(), "inverse_log_density": -inverse.detach()}
        return {"value": value, "inverse": inverse}, metrics

    @torch.no_grad()
    def after_update(self, metrics: Metrics) -> None:
        """Move the slow copy of the value."""
        pairs = zip(self.slow_value.parameters(), self.value.parameters(), strict=True)
        for slow, fast in pairs:
            slow.lerp_(fast, self.config.target_rate)

    def empowerment(
        self, before: Latent, after: Latent, action: Float[Tensor, "N A"]
    ) -> Float[Tensor, " N"]:
        """ln q(a | z, z') in nats: the reward of empowerment for imagined steps."""
        return self.densities.inverse_log_prob(before.flat_stoch, after.flat_stoch, action)


def replayed_returns(
    values: Float[Tensor, "B T"],
    reward: Float[Tensor, "B T"],
    terminated: Bool[Tensor, "B T"],
    is_first: Bool[Tensor, "B T"],
    discount: float,
    trace: float,
) -> Float[Tensor, "B T-1"]:
    """λ-returns of all steps but the last: G_t = r_{t+1} + γ [(1−λ) v_{t+1} + λ G_{t+1}].

    A terminated o_{t+1} has no future; where o_{t+1} begins another episode, nothing is known of
    what followed o_t and G_t = v_t.
    """
    goes_on = discount * (~terminated).to(values.dtype)
    result = values[:, -1]
    returns = []
    for t in reversed(range(values.shape[1] - 1)):
        mixed = (1.0 - trace) * values[:, t + 1] + trace * result
        result = reward[:, t + 1] + goes_on[:, t + 1] * mixed
        result = torch.where(is_first[:, t + 1], values[:, t], result)
        returns.append(result)
    return torch.stack(returns[::-1], dim=1)
