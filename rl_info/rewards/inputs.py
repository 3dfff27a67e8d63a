"""What a reward reads of a state: the observation or one side signal, normalised."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn import RunningNormaliser
from rl_info.rewards.base import RewardConfig, RewardContext
from rl_info.transitions import Transitions

OBSERVATION = "obs"
"""The input name that stands for the whole observation; any other name is a side signal."""


@dataclass(frozen=True)
class StateNetworkConfig(RewardConfig):
    """Settings of a reward that reads states with a network."""

    hidden_dim: int = 256
    """Units of each hidden layer (papers of this family use 1024)."""
    hidden_layers: int = 2
    """Number of hidden layers."""
    input: str = OBSERVATION
    """What of a state the network reads: `obs`, or the name of a side signal such as `position`."""
    normaliser_rows: int = 100_000
    """Rows from which the input statistics are taken before they are frozen; 0: raw input."""


class StateEmbedding(ABC):
    """Marks a reward with a latent space φ in which displacements are skills (LSD, METRA)."""

    state: StateInput
    """What φ reads."""

    @abstractmethod
    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states, as `state` selects them."""


def needed_signals(source: str) -> tuple[str, ...]:
    """The side signals that an input of this name needs: none for the observation."""
    return () if source == OBSERVATION else (source,)


class StateInput(nn.Module):
    """Selects the input of a reward's network and standardises it.

    The statistics follow batches until `rows` rows have been seen and then stay fixed: a distance
    learned on inputs whose scale keeps drifting would drift with it. `rows` 0 leaves the input
    raw. Standardised inputs are not clipped, because a skill may go arbitrarily far. `isotropic`
    divides all dimensions by one number; see `RunningNormaliser`.

    Raises ValueError for a negative `rows`.
    """

    def __init__(
        self, context: RewardContext, source: str, rows: int, isotropic: bool = False
    ) -> None:
        super().__init__()
        if rows < 0:
            raise ValueError(f"normaliser_rows must be 0 (off) or positive, got {rows}")
        self.source = source
        self.rows = rows
        self.width = context.obs_dim if source == OBSERVATION else context.signals[source]
        self.normaliser = RunningNormaliser(self.width, clip=math.inf, isotropic=isotropic)

    @property
    def reads_observation(self) -> bool:
        """Whether the input is the observation rather than a side signal."""
        return self.source == OBSERVATION

    def select(
        self, obs: Float[Tensor, "B O"], signals: Mapping[str, Float[Tensor, "B ..."]]
    ) -> Float[Tensor, "B D"]:
        """The raw input among an observation and the signals beside it."""
        if self.reads_observation:
            return obs
        return signals[self.source].reshape(len(obs), self.width).to(obs.dtype)

    def both(self, batch: Transitions) -> Float[Tensor, "twoB D"]:
        """Raw inputs of s, then of s', in one tensor, so that a network runs over them once."""
        before = self.select(batch.obs, batch.signals)
        after = self.select(batch.next_obs, batch.next_signals)
        return torch.cat([before, after])

    def learn(self, state: Float[Tensor, "B D"]) -> None:
        """Let raw rows count in the statistics, until `rows` of them have been seen."""
        if self.normaliser.count < self.rows:
            self.normaliser.observe(state)

    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Standardise raw rows; float32 in, float32 out."""
        return self.normaliser(state) if self.rows else state
