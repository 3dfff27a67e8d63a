"""Reconstruction of observations: the baseline of Dreamer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    Observed,
    RepresentationObjective,
)
from rl_info.nn.image_encoder import ImageDecoder
from rl_info.nn.norm_perceptron import NormPerceptron
from rl_info.nn.symlog import symlog


@dataclass(frozen=True)
class ReconstructionConfig:
    """Settings of reconstruction."""

    layers: int = 3
    """Hidden layers of the decoder of vectors."""


class ReconstructionObjective(RepresentationObjective):
    """Σ over the observation of squared errors: pixels in [0, 1], or symlog of vectors.

    DreamerV3's decoder loss (arXiv 2301.04104). The decoder enlarges as the encoder shrinks.
    """

    def __init__(
        self, context: ModelContext, config: ReconstructionConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        size, self.is_image = context.size, context.obs.is_image
        self.decoder: nn.Module
        if self.is_image:
            side, _, channels = context.obs.shape
            self.decoder = ImageDecoder(size.feature, side, channels, size.depth, generator)
        else:
            width = context.obs.shape[0]
            self.decoder = NormPerceptron(size.feature, size.units, config.layers, width, generator)
        self.scales = {"reconstruction": 1.0}

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """Squared error summed over one observation, mean over steps."""
        feature = observed.posterior.feature
        obs = observed.batch.obs
        if self.is_image:
            prediction, target = self.decoder(feature, observed.dtype), obs.float() / 255.0
        else:
            prediction = self.decoder(feature.to(observed.dtype)).float()
            target = symlog(obs)
        error = (prediction - target).square().flatten(2)
        return (
            {"reconstruction": error.sum(dim=-1).mean()},
            {"reconstruction_mse": error.detach().mean()},
        )
