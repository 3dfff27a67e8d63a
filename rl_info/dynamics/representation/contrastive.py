"""InfoNCE and Barlow between latents and fixed embeddings, the forms of R2-Dreamer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    Observed,
    RepresentationObjective,
)
from rl_info.nn.initialisation import fan_in_normal
from rl_info.objectives import info_nce, redundancy_reduction


class LatentProjection(nn.Module):
    """A linear map from features to the space of embeddings."""

    def __init__(self, context: ModelContext, generator: torch.Generator) -> None:
        super().__init__()
        inputs = context.size.feature
        self.weight = nn.Parameter(fan_in_normal((context.embed_dim, inputs), inputs, generator))

    def forward(self, observed: Observed) -> tuple[Tensor, Tensor]:
        """Projected features and embeddings without gradient, (B·T, E) each, float32."""
        feature = observed.posterior.feature.flatten(0, 1).to(observed.dtype)
        projected = linear(feature, self.weight.to(observed.dtype)).float()
        return projected, observed.embed.detach().flatten(0, 1)


@dataclass(frozen=True)
class InfoNCEConfig:
    """Settings of the contrastive objective."""

    temperature: float = 1.0
    """Divisor of the scores."""


class InfoNCEObjective(RepresentationObjective):
    """−E ln softmax_j(proj(h_i, z_i)·sg(e_j)/τ)_i: find the own observation among B·T.

    The `infonce` variant of R2-Dreamer: embeddings are targets without gradient, so the encoder
    learns through the posterior alone. ln(B·T) − loss is a lower bound of I(o; h, z) in nats.
    """

    def __init__(
        self, context: ModelContext, config: InfoNCEConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.temperature = config.temperature
        self.project = LatentProjection(context, generator)
        self.scales = {"infonce": 1.0}

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """The cross-entropy in nats."""
        projected, embed = self.project(observed)
        loss = info_nce(projected, embed, self.temperature, symmetric=False, cosine=False)
        information = math.log(projected.shape[0]) - loss.detach()
        return {"infonce": loss}, {"information_obs_latent": information}


@dataclass(frozen=True)
class BarlowConfig:
    """Settings of redundancy reduction; the defaults are R2-Dreamer's."""

    redundancy: float = 5e-4
    """Weight of the correlations off the diagonal."""
    scale: float = 0.05
    """Weight of the loss."""


class BarlowObjective(RepresentationObjective):
    """.05·[Σ(1 − C_ii)² + 5e-4 Σ_{i≠j} C_ij²], C = corr(proj(h, z), sg(e)): R2-Dreamer."""

    def __init__(
        self, context: ModelContext, config: BarlowConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.project = LatentProjection(context, generator)
        self.scales = {"barlow": 1.0}

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """The scaled sum and its two parts."""
        projected, embed = self.project(observed)
        loss, metrics = redundancy_reduction(
            projected, embed, self.config.redundancy, self.config.scale
        )
        return {"barlow": loss}, {f"barlow_{name}": value for name, value in metrics.items()}
