"""Koopman dynamics with the encoder and decoder that fit their observations."""

from __future__ import annotations

import torch
from torch import nn

from rl_info.dynamics.koopman.config import KoopmanConfig
from rl_info.dynamics.koopman.model import KoopmanDynamics
from rl_info.dynamics.representation.base import ObservationSpec
from rl_info.dynamics.sizes import WorldModelSize
from rl_info.dynamics.world_model import build_encoder
from rl_info.nn.image_encoder import ImageDecoder
from rl_info.nn.norm_perceptron import NormPerceptron

DECODER_LAYERS = 2
"""Hidden layers of the decoder of vectors."""


def build_koopman(
    obs: ObservationSpec,
    action_dim: int,
    config: KoopmanConfig,
    size: WorldModelSize,
    generator: torch.Generator,
) -> KoopmanDynamics:
    """Dynamics of square images (H, H, C) of 64 or 84 pixels, or of vectors (O,).

    Raises ValueError for other observations.
    """
    encoder = build_encoder(obs, size, generator)
    decoder: nn.Module | None = None
    if config.reconstruction_weight:
        width = config.latent_dim
        if obs.is_image:
            side, _, channels = obs.shape
            decoder = ImageDecoder(width, side, channels, size.depth, generator)
        else:
            layers = DECODER_LAYERS
            decoder = NormPerceptron(width, size.units, layers, obs.shape[0], generator)
    return KoopmanDynamics(encoder, action_dim, config, generator, decoder)
