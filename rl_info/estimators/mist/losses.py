"""What MIST minimises, and the scale it predicts on."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def to_scale(information: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """ln(1 + I): quantiles pass through increasing maps, and large truths weigh less."""
    return torch.log1p(information)


def from_scale(prediction: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Nats of a prediction on that scale; information is never negative."""
    return torch.expm1(prediction).clamp_min(0.0)


def pinball_loss(
    prediction: Float[Tensor, "B Q"], truth: Float[Tensor, B], levels: Float[Tensor, "B Q"]
) -> Float[Tensor, ""]:
    """Mean of τ (I − q) where the truth is above the prediction, (1 − τ)(q − I) where below.

    Its minimiser is the quantile of level τ.
    """
    above = truth[:, None] - prediction
    return torch.maximum(levels * above, (levels - 1) * above).mean()


def squared_error(prediction: Float[Tensor, "B Q"], truth: Float[Tensor, B]) -> Float[Tensor, ""]:
    """Mean squared error, whose minimiser is the mean."""
    return (prediction - truth[:, None]).square().mean()
