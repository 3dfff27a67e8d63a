"""The state of a world model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Latent:
    """Deterministic memory h and stochastic z of a world model, with the logits z was drawn from.

    All rows share their leading dimensions: (B,), (B, T) or (horizon, B).
    """

    deter: Float[Tensor, "*B D"]
    stoch: Float[Tensor, "*B S C"]
    logits: Float[Tensor, "*B S C"]

    @property
    def flat_stoch(self) -> Float[Tensor, "*B _SC"]:
        """z as one vector."""
        return self.stoch.flatten(-2)

    @property
    def feature(self) -> Float[Tensor, "*B _F"]:
        """What heads, policies and critics read: [h, z]."""
        return torch.cat([self.deter, self.stoch.flatten(-2)], dim=-1)

    def detach(self) -> Latent:
        """The same without gradient."""
        return Latent(self.deter.detach(), self.stoch.detach(), self.logits.detach())

    def flatten_time(self) -> Latent:
        """(B, T, …) to (B·T, …)."""
        return Latent(self.deter.flatten(0, 1), self.stoch.flatten(0, 1), self.logits.flatten(0, 1))

    def at(self, step: int | slice) -> Latent:
        """One step or some steps of (B, T, …)."""
        return Latent(self.deter[:, step], self.stoch[:, step], self.logits[:, step])
