"""Optimiser steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn


def adam(
    groups: Iterable[tuple[Iterable[nn.Parameter], float]],
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.Adam:
    """Fused Adam over groups of parameters with their learning rates."""
    settings = [{"params": list(parameters), "lr": rate} for parameters, rate in groups]
    return torch.optim.Adam(settings, betas=betas, fused=True)


def step(
    optimiser: torch.optim.Optimizer,
    loss: Float[Tensor, ""],
    network: Float[nn.Parameter, " F"] | None = None,
    max_grad_norm: float | None = None,
) -> Float[Tensor, ""]:
    """Descend one loss; returns the gradient norm of `network`, before it is clipped."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if network is None or network.grad is None:
        norm = torch.zeros((), device=loss.device)
    else:
        norm = network.grad.norm()
        if max_grad_norm is not None:
            network.grad.mul_((max_grad_norm / (norm + 1e-6)).clamp_max(1.0))
    optimiser.step()
    return norm
