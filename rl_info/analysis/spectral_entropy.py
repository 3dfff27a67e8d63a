"""Diffusion spectral entropy and information of layers over training (arXiv 2312.04823)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.estimators.diffusion import (
    diffusion_spectral_entropy,
    diffusion_spectral_information,
)
from rl_info.estimators.pairwise import median_distance

__all__ = [
    "DiffusionSpectralMeasure",
    "diffusion_spectral_entropy",
    "diffusion_spectral_information",
]


@dataclass(frozen=True)
class DiffusionSpectralMeasure:
    """DSE of a layer and its DSMI with the target, for `information_plane`.

    The entropy takes the place of I(X;T) and follows the intrinsic dimension of the layer; neither
    is Shannon's. At most `max_samples` samples, as time is cubic in them.
    """

    bandwidth: float | None = None
    """σ of the kernel; None: half the median distance of the layer, which makes both values blind
    to its scale."""
    diffusion_time: int = 1
    """t: more suppress noise."""
    repetitions: int = 5
    """Random subsets that each class is compared with."""
    max_samples: int = 1000
    """More samples than these are thinned at random."""
    seed: int = 0
    """Seed of subsets and thinning."""

    def __post_init__(self) -> None:
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise ValueError(f"bandwidth must be > 0 or None, got {self.bandwidth}")
        if self.diffusion_time < 1 or self.repetitions < 1 or self.max_samples < 2:
            raise ValueError(
                "diffusion_time and repetitions must be at least 1 and max_samples 2, got "
                f"{self.diffusion_time}, {self.repetitions} and {self.max_samples}"
            )

    @torch.no_grad()
    def __call__(
        self, activations: Float[Tensor, "N D"], target: Int64[Tensor, "N"]
    ) -> tuple[float, float]:
        """DSE and DSMI in nats."""
        generator = torch.Generator().manual_seed(self.seed)
        kept = torch.randperm(activations.shape[0], generator=generator)[: self.max_samples]
        layer, labels = activations[kept].double(), target[kept]
        sigma = self.bandwidth or median_distance(layer, generator) / 2
        entropy = diffusion_spectral_entropy(layer, sigma, self.diffusion_time).item()
        information = diffusion_spectral_information(
            layer, labels, sigma, self.diffusion_time, self.repetitions, generator
        )
        return entropy, information
