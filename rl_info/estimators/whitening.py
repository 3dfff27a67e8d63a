"""Invertible linear maps that give samples unit covariance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

RELATIVE_RANK_TOLERANCE = 1e-6
"""Directions with a smaller share of the largest standard deviation count as degenerate."""


@dataclass(frozen=True)
class Whitening:
    """x ↦ (x − mean) · matrix, learned from samples; mutual information does not change under it.

    Columns are first divided by their deviations, so that units do not decide what counts as
    degenerate; then directions in which the samples do not vary are dropped.
    """

    mean: Float[Tensor, " X"]
    matrix: Float[Tensor, "X R"]
    log_determinant: float
    """ln |det matrix|: h(x) = h(whitened x) − this, in nats; inf if directions were dropped."""

    @classmethod
    def of(cls, samples: Float[Tensor, "N X"]) -> Whitening:
        """The map that gives `samples` zero mean and unit covariance; at least one direction."""
        mean = samples.mean(dim=0)
        centred = samples - mean
        deviation = centred.square().mean(dim=0).sqrt()
        inverse = torch.where(deviation > 0, deviation.reciprocal(), torch.zeros_like(deviation))
        scaled = centred * inverse
        covariance = scaled.T @ scaled / samples.shape[0]
        values, vectors = torch.linalg.eigh(covariance)
        kept = values > RELATIVE_RANK_TOLERANCE * values[-1].clamp_min(1e-30)
        if not kept.any():
            return cls(mean, torch.zeros_like(samples[:1].T), float("inf"))
        matrix = inverse[:, None] * vectors[:, kept] * values[kept].rsqrt()
        full_rank = bool(kept.all())
        log_determinant = (
            float(inverse.log().sum() - values.log().sum() / 2) if full_rank else float("inf")
        )
        return cls(mean, matrix, log_determinant)

    @property
    def width(self) -> int:
        """Directions that are left."""
        return self.matrix.shape[1]

    def __call__(self, samples: Float[Tensor, "N X"]) -> Float[Tensor, "N R"]:
        """The samples, whitened."""
        return (samples - self.mean) @ self.matrix
