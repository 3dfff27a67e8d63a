"""The levels of the quantiles that MIST reports, and which to ask for so that they hold."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

LEVELS: tuple[float, ...] = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""0.05, 0.10 … 0.95."""
LOWEST, HIGHEST = 0.001, 0.999
"""Levels that training reached; none beyond is ever asked for."""


def uncalibrated() -> Float[Tensor, Q]:
    """Ask for each level itself."""
    return torch.tensor(LEVELS, dtype=torch.float32)


def calibrated(
    truth: Float[Tensor, S], predicted: Float[Tensor, "S Q"], levels: Float[Tensor, Q]
) -> Float[Tensor, 19]:
    """For every one of `LEVELS` the level to ask for, from S held-out sets of known truth.

    `predicted` are quantiles at the increasing `levels`. On exchangeable sets the truth lies below
    the quantile asked for with the probability of the level, up to 1 / (S + 1): conformal
    prediction with the level at which a prediction meets the truth as its score (Gupta et al.
    2022, "Nested conformal prediction", arXiv 1910.10562).
    """
    scores = torch.stack(
        [
            meeting_level(float(value), row, levels)
            for value, row in zip(truth, predicted, strict=True)
        ]
    )
    asked = torch.quantile(scores, uncalibrated().to(scores), interpolation="higher")
    return asked.clamp(LOWEST, HIGHEST).to(torch.float32)


def meeting_level(
    truth: float, predicted: Float[Tensor, Q], levels: Float[Tensor, Q]
) -> Float[Tensor, ""]:
    """The level whose predicted quantile is the truth, linear in between, clipped at the ends."""
    above = int(torch.searchsorted(predicted.contiguous(), predicted.new_tensor(truth)))
    if above == 0:
        return levels[0]
    if above == len(levels):
        return levels[-1]
    low, high = predicted[above - 1], predicted[above]
    share = (truth - low) / (high - low).clamp_min(1e-12)
    return levels[above - 1] + share.clamp(0, 1) * (levels[above] - levels[above - 1])
