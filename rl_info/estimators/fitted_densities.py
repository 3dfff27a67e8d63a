"""Fits q(y|x) and r(y) by maximum likelihood, for the estimators built on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Progress
from rl_info.estimators.conditional_density import (
    COVARIANCES,
    ConditionalDensity,
    Covariance,
)
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.margins import MARGINS, Margins
from rl_info.estimators.training import fit_network
from rl_info.estimators.training_config import TrainingConfig
from rl_info.estimators.whitening import Whitening

FEWEST_SAMPLES_TO_FIT = 10
PAIR_ENTRIES = 1 << 22
"""Numbers that one block of pairs may hold at a time."""
NOT_FITTED = "this estimator learns: call fit first, or fit_estimate"

LogDensity = Callable[[Tensor, Tensor], Tensor]
"""ln p(y_i|x_i) in nats, (B,), of rows x (B, X) and y (B, Y)."""


@dataclass(frozen=True)
class DensityConfig(TrainingConfig):
    """Settings of the densities and of their training."""

    components: int = 4
    """Gaussians in each mixture; 1 makes q(y|x) a Gaussian."""
    covariance: Covariance = "full"
    """Covariances of the Gaussians in whitened coordinates, `full` or `diagonal`."""
    hidden_dim: int = 128
    """Units of each hidden layer."""
    hidden_layers: int = 2
    """Number of hidden layers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.covariance not in COVARIANCES:
            raise ValueError(
                f"covariance must be one of {', '.join(COVARIANCES)}, got {self.covariance!r}"
            )
        if min(self.components, self.hidden_dim, self.hidden_layers) < 1:
            raise ValueError("components, hidden_dim and hidden_layers must be at least 1")


class Coordinates(nn.Module):
    """Maps of x or y to the coordinates of the densities: single columns first, then whitening."""

    def __init__(self, samples: Float[Tensor, "N X"], margins: Margins) -> None:
        super().__init__()
        self.columns = samples.shape[1]
        self.margins = MARGINS[margins](samples)
        self.whitening = Whitening.of(self.margins(samples))

    def forward(self, samples: Float[Tensor, "N X"]) -> Float[Tensor, "N R"]:
        """Whitened samples; raises ValueError for another number of columns than fitted."""
        if samples.shape[1] != self.columns:
            raise ValueError(
                f"fitted to {self.columns} columns, asked about {samples.shape[1]}: fit again"
            )
        return self.whitening(self.margins(samples))


class FittedDensities(nn.Module):
    """Models q(y|x) and r(y) of whitened y."""

    def __init__(
        self,
        x: Float[Tensor, "N X"],
        y: Float[Tensor, "N Y"],
        config: DensityConfig,
        margins: Margins,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.x_map, self.y_map = Coordinates(x, margins), Coordinates(y, margins)
        left, right = self.x_map(x), self.y_map(y)
        self.conditional, self.marginal = (
            ConditionalDensity(
                width,
                right.shape[1],
                components=config.components,
                covariance=config.covariance,
                hidden_dim=config.hidden_dim,
                hidden_layers=config.hidden_layers,
                generator=generator,
            ).to(right)
            for width in (left.shape[1], 0)
        )
        self.conditional.start_at_regression(left, right)

    @property
    def y_log_determinant(self) -> float:
        """What a log density of y itself has over that of whitened y, with raw margins."""
        return self.y_map.whitening.log_determinant

    def log_conditional(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Float[Tensor, "N"]:
        """ln q(y_i|x_i) of whitened y, in nats."""
        return self.conditional(self.x_map(x), self.y_map(y))

    def log_marginal(self, y: Float[Tensor, "N Y"]) -> Float[Tensor, "N"]:
        """ln r(y_i) of whitened y, in nats."""
        white = self.y_map(y)
        return self.marginal(white[:, :0], white)

    def log_pairs(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """ln q(y_j|x_i) of all pairs, of whitened y, in nats; memory N·M and a block beside it."""
        left, right = self.x_map(x), self.y_map(y)
        width = right.shape[0] * right.shape[1] * self.conditional.components
        rows = max(1, PAIR_ENTRIES // width)
        return torch.cat([self.conditional.pairs(part, right) for part in left.split(rows)])


def fit_densities(
    x: Samples,
    y: Samples,
    config: DensityConfig,
    *,
    margins: Margins,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
) -> FittedDensities:
    """Maximise the likelihoods of q(y|x) and r(y) together on samples (N, X) and (N, Y).

    Both begin at the best linear-Gaussian model; the state with the best likelihood of validation
    samples is kept. Raises ValueError for unusable samples.
    """
    left, right = check_pair(x, y, minimum=FEWEST_SAMPLES_TO_FIT, device=device)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(left.shape[0], generator=generator).to(device)
    kept = max(2, round(config.validation * left.shape[0]))
    seen, unseen = order[kept:], order[:kept]
    densities = FittedDensities(left[seen], right[seen], config, margins, generator)
    left, right = densities.x_map(left), densities.y_map(right)

    def losses(a: Tensor, b: Tensor) -> dict[str, Tensor]:
        return {
            "conditional": -densities.conditional(a, b).mean(),
            "marginal": -densities.marginal(b[:, :0], b).mean(),
        }

    @torch.no_grad()
    def score() -> float:
        return -sum(term.item() for term in losses(left[unseen], right[unseen]).values())

    fit_network(
        densities,
        losses,
        score,
        left[seen],
        right[seen],
        config.training(),
        generator,
        progress,
    )
    return densities
