"""MINDE: mutual information from scores of a diffusion (Franzese et al., arXiv 2310.09031)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate, Estimator
from rl_info.estimators.fitted_densities import FEWEST_SAMPLES_TO_FIT, NOT_FITTED
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.margins import MARGINS
from rl_info.estimators.minde_config import MINDEConfig
from rl_info.estimators.noise_levels import denoising_losses, local_information
from rl_info.estimators.noise_model import CanonicalCoordinates, NoiseModel
from rl_info.estimators.training import fit_network

ROWS_AT_ONCE = 1 << 15


class MINDE(Estimator):
    """How much knowing y helps to remove noise from x, over all noise levels; in nats.

    The conditional variant of the paper (MINDE-C): one network denoises x with and without y, and
    the information is the squared difference of its answers. It bounds nothing: errors of the
    network that differ between the answers add to it (so it is never negative), what the network
    does not learn is missing. Departures from the paper: a variance-preserving diffusion written
    in log signal-to-noise ratios, a denoiser that adds to the exact one for normal variables, and
    rank-transformed columns. No ceiling at ln N.

    The standard error is that of the mean over the samples asked about, the network held fixed; it
    includes the noise drawn, from the estimator's seed.
    """

    bound: ClassVar[Bound] = "none"
    learns: ClassVar[bool] = True
    config: MINDEConfig

    def __init__(
        self,
        config: MINDEConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or MINDEConfig(), seed=seed, device=device)
        self.model: NoiseModel | None = None

    def fit(self, x: Samples, y: Samples) -> MINDE:
        """Learn from samples (N, X) and (N, Y), at least 10.

        Raises ValueError for unusable samples and FloatingPointError if the loss explodes.
        """
        left, right = check_pair(x, y, minimum=FEWEST_SAMPLES_TO_FIT, device=self.device)
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(left.shape[0], generator=generator).to(self.device)
        kept = max(2, round(self.config.validation * left.shape[0]))
        seen, unseen = order[kept:], order[:kept]
        self._learn_coordinates(left[seen], right[seen])
        left, right = self._coordinates(left, right)
        model = NoiseModel(
            self.canonical.correlations,
            left.shape[1],
            right.shape[1],
            hidden_dim=self.config.hidden_dim,
            hidden_layers=self.config.hidden_layers,
            generator=generator,
        ).to(left)
        draws = max(1, ROWS_AT_ONCE // (8 * len(unseen)))
        checked = left[unseen].repeat(draws, 1), right[unseen].repeat(draws, 1)

        @torch.no_grad()
        def score() -> float:
            # The same noise every time, or its chance would choose the state that is kept.
            same = torch.Generator().manual_seed(self.seed + 1)
            return -denoising_losses(model, self.config, *checked, same)["denoising"].item()

        fit_network(
            model,
            lambda a, b: denoising_losses(model, self.config, a, b, generator),
            score,
            left[seen],
            right[seen],
            self.config.training(),
            generator,
            self.progress,
        )
        self.model = model
        return self

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples or other widths than fitted, RuntimeError before
        `fit`.
        """
        left, right = self.check(x, y)
        if self.model is None:
            raise RuntimeError(NOT_FITTED)
        left, right = self._coordinates(left, right)
        generator = torch.Generator().manual_seed(self.seed)
        draws = self.config.draws
        rows = max(1, ROWS_AT_ONCE // draws)
        local = torch.cat(
            [
                local_information(self.model, self.config, a, b, generator)
                for a, b in zip(left.split(rows), right.split(rows), strict=True)
            ]
        )
        error = local.std() / math.sqrt(len(local))
        return Estimate(local.mean().item(), error.item(), self.bound)

    def _learn_coordinates(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        self.widths = x.shape[1], y.shape[1]
        learn = MARGINS[self.config.margins]
        self.x_margins, self.y_margins = learn(x), learn(y)
        self.canonical = CanonicalCoordinates(self.x_margins(x), self.y_margins(y))

    def _coordinates(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> tuple[Float[Tensor, "N P"], Float[Tensor, "N Q"]]:
        if (x.shape[1], y.shape[1]) != self.widths:
            raise ValueError(
                f"fitted to {self.widths[0]} and {self.widths[1]} columns, asked about "
                f"{x.shape[1]} and {y.shape[1]}: fit again"
            )
        return self.canonical(self.x_margins(x), self.y_margins(y))
