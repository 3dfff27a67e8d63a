"""Detection of losses that are no longer numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

LOSS_PREFIX = "loss/"


class NonFiniteLossError(ArithmeticError):
    """A loss became infinite or NaN; `name` is the first metric that did."""

    def __init__(self, name: str, value: float) -> None:
        super().__init__(f"{name} is {value}: lower the learning rate or the reward's scale")
        self.name = name
        self.value = value


def require_finite_losses(metrics: Mapping[str, Tensor]) -> None:
    """Raise NonFiniteLossError if a metric named `loss/…` is infinite or NaN.

    One comparison on the sum of all losses decides; only on failure is each one looked at.
    """
    losses = {name: value for name, value in metrics.items() if name.startswith(LOSS_PREFIX)}
    if not losses or bool(torch.isfinite(torch.stack(list(losses.values())).double().sum())):
        return
    for name, value in losses.items():
        if not bool(torch.isfinite(value)):
            raise NonFiniteLossError(name, float(value))
