"""Densities of y given x, or of y alone: mixtures of Gaussians whose parameters a network gives."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.perceptron import perceptron

Covariance = Literal["diagonal", "full"]
COVARIANCES: tuple[Covariance, ...] = get_args(Covariance)
LOG_SCALE_LIMIT = 12.0
"""Scales stay within e^±12: a density may not collapse onto ties."""
INITIAL_SPREAD = 0.5
"""Distance of the components' means from their centre at the start, in residual deviations."""


def gaussian_mixture_log_density(
    sheared: Float[Tensor, "*#N C Y"],
    log_weights: Float[Tensor, "*#N C"],
    means: Float[Tensor, "*#N C Y"],
    log_precisions: Float[Tensor, "*#N C Y"],
) -> Float[Tensor, "*N"]:
    """ln Σ_c w_c N(L_c y; m_c, diag e^(−2 λ_c)) in nats; L_c has determinant 1, λ: log precisions.

    `sheared` holds L_c y. Shears make full covariances of diagonal ones at no cost for their
    determinants. Leading axes broadcast, which gives all pairs. Differentiable in everything.
    """
    white = (sheared - means) * log_precisions.exp()
    constant = 0.5 * sheared.shape[-1] * math.log(2.0 * math.pi)
    log_densities = log_precisions.sum(dim=-1) - constant - 0.5 * white.square().sum(dim=-1)
    return torch.logsumexp(log_weights + log_densities, dim=-1)


class ConditionalDensity(nn.Module):
    """q(y|x): a mixture of Gaussians, whose parameters are a linear map of x plus a network.

    With `full` covariance every component has correlations of its own, which do not depend on x;
    its scales along the resulting axes do. With `x_dim` 0 it is a plain mixture, a model of the
    marginal of y. Expects whitened variables and starts near N(0, 1) for every x;
    `start_at_regression` moves the start near the best linear-Gaussian model, so that training has
    only what is not linear left to learn.
    """

    def __init__(
        self,
        x_dim: int,
        y_dim: int,
        *,
        components: int,
        covariance: Covariance,
        hidden_dim: int,
        hidden_layers: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.y_dim, self.components = y_dim, components
        self.sizes = [components, components * y_dim, components * y_dim]
        width = sum(self.sizes)
        self.bias = nn.Parameter(torch.zeros(width))
        self.linear = nn.Parameter(torch.zeros(x_dim, width))
        self.network = (
            # Gain 0: the density begins at its linear part, which regression can set.
            perceptron(x_dim, hidden_dim, hidden_layers, width, generator, output_gain=0.0)
            if x_dim > 0
            else None
        )
        self.shear = nn.Parameter(
            torch.zeros(components, y_dim, y_dim), requires_grad=covariance == "full"
        )
        if components > 1:
            # Equal components would stay equal.
            offsets = torch.randn(components, y_dim, generator=generator)
            offsets *= INITIAL_SPREAD / offsets.norm(dim=-1, keepdim=True)
            self.bias.data.split(self.sizes)[1].copy_(offsets.flatten())

    @torch.no_grad()
    def start_at_regression(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        """Set means to the regression of whitened y on whitened x, scales to its errors'."""
        slope = x.T @ y / x.shape[0]
        error = y - x @ slope
        covariance = error.T @ error / x.shape[0]
        if not self.shear.requires_grad:
            covariance = covariance.diagonal().diag()
        identity = torch.eye(self.y_dim, dtype=y.dtype, device=y.device)
        # The lower triangular A with AᵀA = covariance⁻¹ is the inverse of the Cholesky factor.
        cholesky = torch.linalg.cholesky(covariance + 1e-6 * identity)
        factor = torch.linalg.solve_triangular(cholesky, identity, upper=False)
        scale = factor.diagonal()
        shear = factor / scale[:, None]
        self.shear.copy_((shear - identity).expand_as(self.shear))
        _, means, log_precisions = self.bias.split(self.sizes)
        raw = LOG_SCALE_LIMIT * torch.atanh(scale.log() / LOG_SCALE_LIMIT)
        log_precisions.copy_(raw.repeat(self.components))
        means.copy_((means.view(self.components, -1) / scale).flatten())
        self.linear.split(self.sizes, dim=1)[1].copy_((slope @ shear.T).repeat(1, self.components))

    def sheared(self, y: Float[Tensor, "N Y"]) -> Float[Tensor, "N C Y"]:
        """y along the axes of every component."""
        return y[:, None] + torch.einsum("cij,nj->nci", self.shear.tril(-1), y)

    def mixture(
        self, x: Float[Tensor, "N X"]
    ) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N C Y"], Float[Tensor, "N C Y"]]:
        """Log weights, and along their axes the means and log precisions of the components."""
        features = self.bias + x @ self.linear
        if self.network is not None:
            features = features + self.network(x)
        logits, means, raw = features.split(self.sizes, dim=-1)
        shape = (x.shape[0], self.components, self.y_dim)
        log_precisions = LOG_SCALE_LIMIT * torch.tanh(raw / LOG_SCALE_LIMIT)
        return logits.log_softmax(dim=-1), means.view(shape), log_precisions.view(shape)

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, "N"]:
        """ln q(y_i|x_i), in nats."""
        return gaussian_mixture_log_density(self.sheared(y), *self.mixture(x))

    def pairs(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """ln q(y_j|x_i) of all pairs, in nats; holds N·M·C·Y numbers at a time."""
        log_weights, means, log_precisions = self.mixture(x)
        return gaussian_mixture_log_density(
            self.sheared(y)[None], log_weights[:, None], means[:, None], log_precisions[:, None]
        )
