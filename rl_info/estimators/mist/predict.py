"""Quantiles of information that a trained network predicts for sets of samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.mist.losses import from_scale
from rl_info.estimators.mist.model import MISTModel
from rl_info.estimators.mist.rows import prepare


@torch.no_grad()
def predict_quantiles(
    model: MISTModel,
    sets: Sequence[tuple[Tensor, Tensor]],
    levels: Float[Tensor, Q],
) -> Float[Tensor, "B Q"]:
    """Quantiles in nats at increasing `levels`, of sets ((N, X), (N, Y)) of equally many rows.

    Each set is also shown with its sides exchanged and both predictions are averaged, since
    I(X;Y) = I(Y;X); predictions that cross are put in order.
    """
    device = next(model.parameters()).device
    both = [prepare(*pair) for x, y in sets for pair in ((x, y), (y, x))]
    rows = torch.stack([rows for rows, _ in both]).to(device)
    context = torch.stack([context for _, context in both]).to(device)
    asked = levels.to(device).expand(len(both), -1)
    predicted = model(rows, context, asked).unflatten(0, (len(sets), 2)).mean(dim=1)
    return from_scale(predicted.sort(dim=-1).values)
