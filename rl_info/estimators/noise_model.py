"""A denoiser of x, with and without knowledge of y, that knows the normal case in closed form."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rl_info.estimators.whitening import Whitening
from rl_info.nn.perceptron import perceptron

FREQUENCIES = 4
"""Sines and cosines by which the network sees the noise level, besides the level itself."""
SMALLEST_RESIDUAL = 1e-7
"""Floor of 1 − ρ² of a canonical pair."""


class CanonicalCoordinates(nn.Module):
    """Invertible linear maps of x and y to their canonical variates, strongest pair first."""

    def __init__(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        super().__init__()
        self.x_map, self.y_map = Whitening.of(x), Whitening.of(y)
        left, right = self.x_map(x), self.y_map(y)
        u, correlations, vt = torch.linalg.svd(left.T @ right / x.shape[0])
        self.x_axes, self.y_axes = u, vt.T
        self.correlations = correlations.clamp(0, math.sqrt(1 - SMALLEST_RESIDUAL))

    def forward(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> tuple[Float[Tensor, "N P"], Float[Tensor, "N Q"]]:
        """Canonical variates of x and y."""
        return self.x_map(x) @ self.x_axes, self.y_map(y) @ self.y_axes


class NoiseModel(nn.Module):
    """Predicts v = α ε − σ x from z = α x + σ ε, where ε is noise, α² = 1 − σ² = sigmoid(λ).

    The best prediction of v fixes that of ε, which is σ z + α v. The network adds to the exact
    answer for jointly normal canonical variates: 0 without y, a linear map with it. One network
    serves both questions; a flag and blanked y tell them apart.
    """

    def __init__(
        self,
        correlations: Float[Tensor, "K"],
        x_dim: int,
        y_dim: int,
        *,
        hidden_dim: int,
        hidden_layers: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        padded = correlations.new_zeros(x_dim)
        padded[: len(correlations)] = correlations
        self.register_buffer("rho", padded)
        inputs = x_dim + y_dim + 2 + 2 * FREQUENCIES
        self.network = perceptron(
            inputs, hidden_dim, hidden_layers, x_dim, generator, output_gain=0.0
        )

    rho: Tensor

    def forward(
        self,
        noisy: Float[Tensor, "B P"],
        log_snr: Float[Tensor, "B"],
        y: Float[Tensor, "B Q"],
        knows_y: Bool[Tensor, "B"],
    ) -> Float[Tensor, "B P"]:
        """v for each row, with y where `knows_y`, without it elsewhere."""
        flag = knows_y[:, None].to(noisy)
        features = torch.cat([noisy, y * flag, flag, _level_features(log_snr)], dim=-1)
        return self.network(features) + flag * self._normal(noisy, log_snr, y)

    def _normal(
        self, noisy: Float[Tensor, "B P"], log_snr: Float[Tensor, "B"], y: Float[Tensor, "B Q"]
    ) -> Float[Tensor, "B P"]:
        """v of normal canonical variates given y, in a form that keeps its precision as σ → 0."""
        alpha, sigma = levels(log_snr)
        squared = self.rho.square()
        width = min(len(self.rho), y.shape[1])
        mean = torch.zeros_like(noisy)
        mean[:, :width] = self.rho[:width] * y[:, :width]
        spread = alpha.square() * (1 - squared) + sigma.square()
        return sigma * (alpha * squared * noisy - mean) / spread


def levels(log_snr: Float[Tensor, "B"]) -> tuple[Float[Tensor, "B 1"], Float[Tensor, "B 1"]]:
    """α and σ of z = α x + σ ε at a log signal-to-noise ratio, ln(α²/σ²)."""
    return log_snr.sigmoid().sqrt()[:, None], (-log_snr).sigmoid().sqrt()[:, None]


def _level_features(log_snr: Float[Tensor, "B"]) -> Float[Tensor, "B F"]:
    octaves = 2.0 ** torch.arange(FREQUENCIES, dtype=log_snr.dtype, device=log_snr.device)
    phases = 0.1 * log_snr[:, None] * octaves
    return torch.cat([0.2 * log_snr[:, None], phases.sin(), phases.cos()], dim=-1)
