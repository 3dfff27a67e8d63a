"""What a world model's latents are worth, measured now and then without gradients."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.analysis import collapse_diagnostic
from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.representation.base import Metrics
from rl_info.dynamics.world_model import WorldModel
from rl_info.nn.categorical_latent import categorical_kl, mixed_log_probabilities

MOST_ROWS = 512
"""Rows for the spectrum of the latents: its cost is cubic."""


@torch.no_grad()
def world_model_diagnostics(
    model: WorldModel, batch: SequenceBatch, context: int, *, generator: torch.Generator
) -> Metrics:
    """Collapse of latents and error of open-loop prediction, as scalars to log.

    `latent_entropy` is the von Neumann entropy of z's covariance in nats. Open loop starts after
    `context` observed steps and follows the recorded actions to the end of the batch:
    `open_loop_kl` is KL(posterior ‖ open-loop prior) in nats, a mean over steps within the same
    episode, and `open_loop_share` divides it by the KL to the batch's average of posteriors, which
    knows nothing of the past: below 1, prediction is worth something.

    Raises ValueError unless 1 ≤ context < T.
    """
    steps = batch.is_first.shape[1]
    if not 1 <= context < steps:
        raise ValueError(f"context must be from 1 to {steps - 1} of {steps} steps, got {context}")
    observed = model.observe(batch, generator=generator)
    posterior, mix = observed.posterior, observed.uniform_mix
    predicted = model.rssm.follow(
        posterior.at(context - 1), batch.action[:, context:], generator=generator, dtype=model.dtype
    )
    log_p = mixed_log_probabilities(posterior.logits[:, context:], mix)
    log_q = mixed_log_probabilities(predicted.logits, mix)
    same_episode = (~batch.is_first[:, context:]).cumprod(dim=1).to(log_p.dtype)
    average = log_p.exp().mean(dim=(0, 1)).log().expand_as(log_p)
    error = _weighted(categorical_kl(log_p, log_q), same_episode)
    baseline = _weighted(categorical_kl(log_p, average), same_episode)
    stoch = posterior.flat_stoch.flatten(0, 1)
    stride = -(-stoch.shape[0] // MOST_ROWS)
    collapse = collapse_diagnostic(stoch[::stride])
    return {
        "open_loop_kl": error,
        "open_loop_share": error / baseline.clamp_min(1e-8),
        "latent_entropy": error.new_tensor(collapse.entropy),
        "latent_dimensions": error.new_tensor(collapse.effective_dimensions),
    }


def _weighted(values: Float[Tensor, "B T"], weights: Float[Tensor, "B T"]) -> Float[Tensor, ""]:
    return (values * weights).sum() / weights.sum().clamp_min(1.0)
