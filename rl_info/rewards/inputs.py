"""What a reward reads of a state: the observation or one side signal, normalised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.rewards.base import RewardContext
from rl_info.transitions import Transitions

OBSERVATION = "obs"
"""The input name that stands for the whole observation; any other name is a side signal."""


@runtime_checkable
class StateEmbedding(Protocol):
    """A reward with a latent space φ in which displacements are skills (LSD, METRA)."""

    state: StateInput

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states, as `state` selects them."""


def needed_signals(source: str) -> tuple[str, ...]:
    """The side signals that an input of this name needs: none for the observation."""
    return () if source == OBSERVATION else (source,)


class StateInput(nn.Module):
    """Selects the input of a reward's network and standardises it.

    The statistics follow the first `rows` rows they are shown and then stay fixed: a distance
    learned on inputs whose scale keeps drifting would drift with it. `rows` 0 leaves the input
    raw. A dimension that has not varied yet passes with its mean removed and scale 1.

    Raises ValueError for a negative `rows`.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor

    def __init__(self, context: RewardContext, source: str, rows: int) -> None:
        super().__init__()
        if rows < 0:
            raise ValueError(f"normaliser_rows must be 0 (off) or positive, got {rows}")
        self.source = source
        self.rows = rows
        self.width = context.obs_dim if source == OBSERVATION else context.signals[source]
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(self.width, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(self.width, dtype=torch.float64))

    def select(
        self, obs: Float[Tensor, "B O"], signals: Mapping[str, Float[Tensor, "B ..."]]
    ) -> Float[Tensor, "B D"]:
        """The raw input among an observation and the signals beside it."""
        if self.source == OBSERVATION:
            return obs
        return signals[self.source].reshape(len(obs), self.width).to(obs.dtype)

    def both(self, batch: Transitions) -> Float[Tensor, "twoB D"]:
        """Raw inputs of s, then of s', in one tensor, so that a network runs over them once."""
        before = self.select(batch.obs, batch.signals)
        after = self.select(batch.next_obs, batch.next_signals)
        return torch.cat([before, after])

    @torch.no_grad()
    def learn(self, state: Float[Tensor, "B D"]) -> None:
        """Let raw rows count in the statistics, until `rows` of them have been seen."""
        if self.rows == 0:
            return
        values = state.double()
        # A tensor condition instead of a Python one: no device synchronisation in the update.
        added = torch.where(self.count < self.rows, float(len(values)), 0.0)
        total = (self.count + added).clamp_min(1.0)
        shift = values.mean(dim=0) - self.mean
        spread = values.var(dim=0, correction=0)
        self.squares += added * (spread + shift.square() * self.count / total)
        self.mean += shift * added / total
        self.count += added

    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Standardise raw rows; float32 in, float32 out."""
        if self.rows == 0:
            return state
        scale = (self.squares / self.count.clamp_min(1.0)).sqrt()
        scale = torch.where(scale > 1e-6, scale, 1.0)
        return (state - self.mean.to(state.dtype)) / scale.to(state.dtype)
