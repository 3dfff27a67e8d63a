"""What MINDE minimises and what it reads, over all levels of noise."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.minde_config import MINDEConfig
from rl_info.estimators.noise_model import NoiseModel, levels


def score_information(
    noise_given_y: Float[Tensor, "B P"], noise: Float[Tensor, "B P"], span: float
) -> Float[Tensor, ""]:
    """½ ∫ E‖ε(z|y) − ε(z)‖² dλ in nats, from draws whose λ are uniform over a range `span` wide.

    The conditional estimator of arXiv 2310.09031, ½ ∫ g² E‖s(x_t|y) − s(x_t)‖² dt, with s = −ε/σ
    and time drawn in proportion to g²/σ²: for a diffusion that preserves variance, that makes the
    log signal-to-noise ratio λ uniform and the weight constant. `noise` are predictions of ε.
    """
    return 0.5 * span * (noise_given_y - noise).square().sum(dim=-1).mean()


def denoising_losses(
    model: NoiseModel,
    config: MINDEConfig,
    x: Float[Tensor, "B P"],
    y: Float[Tensor, "B Q"],
    generator: torch.Generator,
) -> Mapping[str, Tensor]:
    """Squared error of the predictions of ε, with and without y, at levels spread evenly."""
    place = torch.arange(x.shape[0]) + torch.rand((), generator=generator)
    place = place[torch.randperm(x.shape[0], generator=generator)] / x.shape[0]
    log_snr = (config.lowest_log_snr + config.span * place).to(x)
    alpha, sigma = levels(log_snr)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    target = alpha * noise - sigma * x
    given_y, alone = both_predictions(model, alpha * x + sigma * noise, log_snr, y)
    error = (given_y - target).square() + (alone - target).square()
    return {"denoising": (alpha.square() * error).sum(dim=-1).mean()}


def local_information(
    model: NoiseModel,
    config: MINDEConfig,
    x: Float[Tensor, "N P"],
    y: Float[Tensor, "N Q"],
    generator: torch.Generator,
) -> Float[Tensor, "N"]:
    """What each sample contributes, over noise levels spread evenly with a random offset."""
    draws, count = config.draws, x.shape[0]
    x, y = x.repeat_interleave(draws, dim=0), y.repeat_interleave(draws, dim=0)
    steps = torch.arange(draws, dtype=x.dtype).repeat(count)
    offsets = torch.rand(count, generator=generator, dtype=x.dtype).repeat_interleave(draws)
    log_snr = config.lowest_log_snr + config.span * (steps + offsets) / draws
    log_snr = log_snr.to(x.device)
    alpha, sigma = levels(log_snr)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    given_y, alone = both_predictions(model, alpha * x + sigma * noise, log_snr, y)
    squared = (alpha * (given_y - alone)).square().sum(dim=-1)
    return 0.5 * config.span * squared.view(count, draws).mean(dim=1)


def both_predictions(
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
