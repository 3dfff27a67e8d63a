"""The linear dynamics of latents, learned or solved for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Operators:
    """z' = K z + B a + c."""

    transition: Float[Tensor, "D D"]
    """K"""
    control: Float[Tensor, "D A"]
    """B"""
    offset: Float[Tensor, " D"]
    """c"""

    def step(
        self, z: Float[Tensor, "*N D"], action: Float[Tensor, "*N A"]
    ) -> Float[Tensor, "*N D"]:
        """The latents of one step later."""
        return z @ self.transition.T + action @ self.control.T + self.offset

    def follow(
        self, z: Float[Tensor, "*N D"], action: Float[Tensor, "*N H A"]
    ) -> Float[Tensor, "*N H D"]:
        """Latents after each of H actions; no look at observations between."""
        latents = []
        for step in range(action.shape[-2]):
            z = self.step(z, action[..., step, :])
            latents.append(z)
        return torch.stack(latents, dim=-2)


def fit_operators(
    z: Float[Tensor, "N D"],
    action: Float[Tensor, "N A"],
    following: Float[Tensor, "N D"],
    *,
    ridge: float = 1e-6,
    offset: bool = True,
) -> Operators:
    """Least squares of z' on (z, a, 1): dynamic mode decomposition with control (1409.6358).

    `ridge` is that of a regression on standardised latents and actions, as a share of N. Computes
    in float64. Raises ValueError if there are no samples, or `ridge` is not positive.
    """
    if not len(z):
        raise ValueError("no transitions to fit dynamics to")
    if not ridge > 0:
        raise ValueError(f"ridge must be positive, got {ridge}")
    inputs, outputs = torch.cat([z, action], dim=1).double(), following.double()
    mean_in = inputs.mean(dim=0) if offset else torch.zeros_like(inputs[0])
    mean_out = outputs.mean(dim=0) if offset else torch.zeros_like(outputs[0])
    centred = inputs - mean_in
    scale = centred.square().mean(dim=0).sqrt()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    rows = centred / scale
    gram = rows.T @ rows / len(rows)
    gram.diagonal().add_(ridge)
    solved = torch.linalg.solve(gram, rows.T @ (outputs - mean_out) / len(rows)).T / scale
    constant = mean_out - solved @ mean_in
    width = z.shape[1]
    return Operators(
        *(part.to(z.dtype) for part in (solved[:, :width], solved[:, width:], constant))
    )
