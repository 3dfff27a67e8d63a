"""MINDE: mutual information from scores of a diffusion (Franzese et al., arXiv 2310.09031)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate, Estimator, EstimatorConfig
from rl_info.estimators.fitted_densities import FEWEST_SAMPLES_TO_FIT, NOT_FITTED
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.margins import MARGINS, Margins
from rl_info.estimators.noise_model import CanonicalCoordinates, NoiseModel, levels
from rl_info.estimators.training import TrainingSettings, fit_network

ROWS_AT_ONCE = 1 << 15


def score_information(
    noise_given_y: Float[Tensor, "B P"], noise: Float[Tensor, "B P"], span: float
) -> Float[Tensor, ""]:
    """½ ∫ E‖ε(z|y) − ε(z)‖² dλ in nats, from draws whose λ are uniform over a range `span` wide.

    The conditional estimator of arXiv 2310.09031, ½ ∫ g² E‖s(x_t|y) − s(x_t)‖² dt, with s = −ε/σ
    and time drawn in proportion to g²/σ²: for a diffusion that preserves variance, that makes the
    log signal-to-noise ratio λ uniform and the weight constant. `noise` are predictions of ε.
    """
    return 0.5 * span * (noise_given_y - noise).square().sum(dim=-1).mean()


@dataclass(frozen=True)
class MINDEConfig(EstimatorConfig):
    """Settings of MINDE."""

    margins: Margins = "rank"
    """Maps of the columns, learned in `fit`: `rank` (normal scores), `standard` or `raw`."""
    lowest_log_snr: float = -8.0
    """λ = ln(α²/σ²) at the noisiest level, beyond which nothing of x is left to tell."""
    highest_log_snr: float = 14.0
    """λ at the cleanest level; dependence finer than e^(−λ/2) deviations is not seen."""
    hidden_dim: int = 128
    """Units of each hidden layer of the denoiser."""
    hidden_layers: int = 3
    """Number of hidden layers."""
    steps: int = 2000
    """Most optimiser steps."""
    batch_size: int = 256
    """Samples in each step, each denoised with and without y."""
    learning_rate: float = 1e-3
    """Adam's step size at the start; it falls to zero along half a cosine."""
    weight_decay: float = 1e-2
    """Decoupled weight decay."""
    validation: float = 0.2
    """Share of the samples given to `fit` that only choose when to stop."""
    check_every: int = 100
    """Steps between two looks at the validation samples."""
    patience: int = 8
    """Looks without a new best after which training stops."""
    draws: int = 64
    """Noise levels at which each sample is read."""

    def __post_init__(self) -> None:
        if self.margins not in MARGINS:
            raise ValueError(f"margins must be one of {', '.join(MARGINS)}, got {self.margins!r}")
        if not self.lowest_log_snr < self.highest_log_snr:
            raise ValueError(
                "lowest_log_snr must lie below highest_log_snr, "
                f"got {self.lowest_log_snr} and {self.highest_log_snr}"
            )
        if min(self.hidden_dim, self.hidden_layers, self.draws) < 1:
            raise ValueError("hidden_dim, hidden_layers and draws must be at least 1")
        if not 0 < self.validation < 1:
            raise ValueError(f"validation must lie between 0 and 1, got {self.validation}")
        self.training()

    @property
    def span(self) -> float:
        """Width of the range of log signal-to-noise ratios."""
        return self.highest_log_snr - self.lowest_log_snr

    def training(self) -> TrainingSettings:
        """Settings of the fit; raises ValueError for impossible ones."""
        return TrainingSettings(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            check_every=self.check_every,
            patience=self.patience,
        )


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
            return -self._losses(model, *checked, same)["denoising"].item()

        fit_network(
            model,
            lambda a, b: self._losses(model, a, b, generator),
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
                self._local(self.model, a, b, generator)
                for a, b in zip(left.split(rows), right.split(rows), strict=True)
            ]
        )
        error = local.std() / math.sqrt(len(local))
        return Estimate(local.mean().item(), error.item(), self.bound)

    def _local(
        self,
        model: NoiseModel,
        x: Float[Tensor, "N P"],
        y: Float[Tensor, "N Q"],
        generator: torch.Generator,
    ) -> Float[Tensor, "N"]:
        """What each sample contributes, over noise levels spread evenly with a random offset."""
        draws, count = self.config.draws, x.shape[0]
        x, y = x.repeat_interleave(draws, dim=0), y.repeat_interleave(draws, dim=0)
        steps = torch.arange(draws, dtype=x.dtype).repeat(count)
        offsets = torch.rand(count, generator=generator, dtype=x.dtype).repeat_interleave(draws)
        log_snr = self.config.lowest_log_snr + self.config.span * (steps + offsets) / draws
        log_snr = log_snr.to(x.device)
        alpha, sigma = levels(log_snr)
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        given_y, alone = _both(model, alpha * x + sigma * noise, log_snr, y)
        squared = (alpha * (given_y - alone)).square().sum(dim=-1)
        return 0.5 * self.config.span * squared.view(count, draws).mean(dim=1)

    def _losses(
        self,
        model: NoiseModel,
        x: Float[Tensor, "B P"],
        y: Float[Tensor, "B Q"],
        generator: torch.Generator,
    ) -> Mapping[str, Tensor]:
        """Squared error of the predictions of ε, with and without y, at levels spread evenly."""
        place = torch.arange(x.shape[0]) + torch.rand((), generator=generator)
        place = place[torch.randperm(x.shape[0], generator=generator)] / x.shape[0]
        log_snr = (self.config.lowest_log_snr + self.config.span * place).to(x)
        alpha, sigma = levels(log_snr)
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        target = alpha * noise - sigma * x
        given_y, alone = _both(model, alpha * x + sigma * noise, log_snr, y)
        error = (given_y - target).square() + (alone - target).square()
        return {"denoising": (alpha.square() * error).sum(dim=-1).mean()}

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


def _both(
    model: NoiseModel,
    noisy: Float[Tensor, "B P"],
    log_snr: Float[Tensor, "B"],
    y: Float[Tensor, "B Q"],
) -> tuple[Float[Tensor, "B P"], Float[Tensor, "B P"]]:
    """Predictions of v with y and without, in one pass."""
    knows = torch.ones(2 * len(noisy), dtype=torch.bool, device=noisy.device)
    knows[len(noisy) :] = False
    doubled = noisy.repeat(2, 1), log_snr.repeat(2), y.repeat(2, 1)
    given_y, alone = model(*doubled, knows).chunk(2)
    return given_y, alone
