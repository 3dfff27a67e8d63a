"""A bisimulation metric on latents, after Deep Bisimulation for Control."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    Observed,
    RepresentationObjective,
)
from rl_info.nn.categorical_latent import mixed_probabilities


@dataclass(frozen=True)
class BisimulationConfig:
    """Settings of the bisimulation objective."""

    discount: float = 0.99
    """Weight of the distance of what comes next."""
    reward_scale: float = 1.0
    """Distance that a difference of 1 in reward counts for."""


class BisimulationObjective(RepresentationObjective):
    """(‖p_i − p_j‖₁ − c|r_i − r_j| − γ W₁(next_i, next_j))² over random pairs, after DBC.

    Zhang et al., ICLR 2021, arXiv 2006.10742, equation 4, on categorical latents: p are posterior
    probabilities, and W₁ between the priors of the next step under the L1 distance of one-hots is
    Σ_s ‖π_s − π'_s‖₁ exactly, where DBC takes W₂ between Gaussians. As there, the gradient flows
    into the distance of the latents only.
    """

    def __init__(
        self, context: ModelContext, config: BisimulationConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.scales = {"bisimulation": 1.0}

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """Mean squared difference of both distances."""
        mix, batch = observed.uniform_mix, observed.batch
        now = mixed_probabilities(observed.posterior.logits[:, :-1], mix).flatten(0, 1).flatten(1)
        with torch.no_grad():
            following = mixed_probabilities(observed.prior[:, 1:], mix)
            following = following.flatten(0, 1).flatten(1)
        reward = batch.reward[:, 1:].flatten()
        # A step across the end of an episode leads nowhere.
        chosen = (~batch.is_first[:, 1:]).flatten().nonzero().squeeze(-1)
        order = torch.randperm(chosen.shape[0], generator=observed.generator, device=now.device)
        other = chosen[order]
        distance = (now[chosen] - now[other]).abs().sum(dim=-1)
        target = self._target(reward, following, chosen, other)
        loss = (distance - target).square().sum() / max(chosen.shape[0], 1)
        metrics = {"bisimulation_distance": distance.detach().sum() / max(chosen.shape[0], 1)}
        return {"bisimulation": loss}, metrics

    def _target(
        self,
        reward: Float[Tensor, " N"],
        following: Float[Tensor, "N SC"],
        chosen: Tensor,
        other: Tensor,
    ) -> Float[Tensor, " M"]:
        apart = (following[chosen] - following[other]).abs().sum(dim=-1)
        differ = (reward[chosen] - reward[other]).abs()
        return self.config.reward_scale * differ + self.config.discount * apart
