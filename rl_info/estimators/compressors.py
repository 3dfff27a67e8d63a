"""Maps of many columns to few, learned from samples of one variable alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.margins import StandardScores
from rl_info.nn.perceptron import perceptron

Compression = Literal["pca", "random", "autoencoder"]
"""Principal components, random orthonormal directions, or the code of an autoencoder."""


@dataclass(frozen=True)
class CompressorSettings:
    """What a compressor is learned with."""

    dims: int
    """Columns that are left."""
    steps: int
    """Optimiser steps of an autoencoder."""
    batch_size: int
    """Samples in each step."""
    hidden_dim: int
    """Units of each hidden layer of an autoencoder."""
    learning_rate: float
    """Adam's step size."""


class Directions(nn.Module):
    """Standardised columns, projected on orthonormal directions (X, D)."""

    directions: Tensor

    def __init__(self, scores: StandardScores, directions: Float[Tensor, "X D"]) -> None:
        super().__init__()
        self.scores = scores
        self.register_buffer("directions", directions)

    def forward(self, samples: Float[Tensor, "N X"]) -> Float[Tensor, "N D"]:
        """The projections."""
        return self.scores(samples) @ self.directions


class Encoder(nn.Module):
    """Code of a perceptron for standardised columns, beside a linear path."""

    def __init__(
        self,
        scores: StandardScores,
        width: int,
        settings: CompressorSettings,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.scores = scores
        self.linear = nn.utils.skip_init(nn.Linear, width, settings.dims, bias=False)
        nn.init.orthogonal_(self.linear.weight, generator=generator)
        self.curved = perceptron(
            width, settings.hidden_dim, 2, settings.dims, generator, output_gain=0.1
        )

    def forward(self, samples: Float[Tensor, "N X"]) -> Float[Tensor, "N D"]:
        """The code, float32 inside, in the dtype of `samples`."""
        standard = self.scores(samples).float()
        return (self.linear(standard) + self.curved(standard)).to(samples.dtype)


def principal_components(
    samples: Float[Tensor, "N X"], settings: CompressorSettings, generator: torch.Generator
) -> Directions:
    """The directions of most variance: the best linear code by squared error."""
    scores = StandardScores(samples)
    standard = scores(samples)
    vectors = torch.linalg.eigh(standard.T @ standard).eigenvectors
    return Directions(scores, vectors[:, -settings.dims :].flip(1).contiguous())


def random_directions(
    samples: Float[Tensor, "N X"], settings: CompressorSettings, generator: torch.Generator
) -> Directions:
    """Directions that know nothing of the samples, uniform among orthonormal ones."""
    shape = (samples.shape[1], settings.dims)
    gaussian = torch.randn(shape, dtype=samples.dtype, generator=generator)
    q, r = torch.linalg.qr(gaussian)
    signs = torch.where(r.diagonal() < 0, -1.0, 1.0).to(samples.dtype)
    return Directions(StandardScores(samples), (q * signs).to(samples.device))


def autoencoder(
    samples: Float[Tensor, "N X"], settings: CompressorSettings, generator: torch.Generator
) -> Encoder:
    """The code from which a decoder restores the standardised samples with least squared error."""
    width = samples.shape[1]
    encoder = Encoder(StandardScores(samples), width, settings, generator).to(samples.device)
    decoder = perceptron(settings.dims, settings.hidden_dim, 2, width, generator)
    decoder.to(samples.device)
    learned = [*encoder.linear.parameters(), *encoder.curved.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(learned, lr=settings.learning_rate)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=settings.steps)
    for _ in range(settings.steps):
        rows = torch.randint(len(samples), (settings.batch_size,), generator=generator)
        batch = samples[rows.to(samples.device)]
        target = encoder.scores(batch).float()
        loss = (decoder(encoder(batch).float()) - target).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        rate.step()
    return encoder.requires_grad_(False)


Compressor = Callable[[Tensor, CompressorSettings, torch.Generator], nn.Module]

COMPRESSORS: Mapping[Compression, Compressor] = MappingProxyType(
    {"pca": principal_components, "random": random_directions, "autoencoder": autoencoder}
)
"""How a map is learned from samples (N, X), by name."""
