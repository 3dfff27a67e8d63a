"""The contract of a representation objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.kl import BalancedKL
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.sizes import WorldModelSize

Losses = dict[str, Tensor]
"""Scalars to be minimised, by name."""
Metrics = dict[str, Tensor]
"""Detached scalars to log, by name."""


@dataclass(frozen=True)
class ObservationSpec:
    """What one observation is: images of `image_size`² × channels, or vectors."""

    shape: tuple[int, ...]
    """(H, W, C) of uint8 images or (O,) of float32 vectors."""

    @property
    def is_image(self) -> bool:
        """Whether observations are images; vectors have one dimension."""
        return len(self.shape) == 3


@dataclass(frozen=True)
class ModelContext:
    """Sizes that an objective needs to build its networks."""

    obs: ObservationSpec
    embed_dim: int
    action_dim: int
    size: WorldModelSize


@dataclass(frozen=True)
class Observed:
    """What the world model made of a batch, for the objective to judge."""

    batch: SequenceBatch
    embed: Float[Tensor, "B T E"]
    """What the encoder made of observations."""
    posterior: Latent
    """(B, T)"""
    prior: Float[Tensor, "B T S C"]
    """Logits of the prior for the same steps."""
    kl: BalancedKL
    reward_log_prob: Float[Tensor, "B T"]
    """ln q(r_t | h_t, z_t) of the reward head, in nats."""
    uniform_mix: float
    """Share of the uniform distribution in every categorical."""
    dtype: torch.dtype
    """In which products run."""
    generator: torch.Generator
    """For draws of the objective."""


@dataclass(frozen=True)
class TermWeights:
    """How strongly the shared terms of the model shape its representation.

    They multiply gradients into encoder and recurrence only: the reward head and the prior learn
    at full strength whatever they are.
    """

    forward: Tensor
    """Of KL(posterior ‖ sg(prior))."""
    reward: Tensor
    """Of the reward's log likelihood."""


class RepresentationObjective(nn.Module, ABC):
    """Says what latents should keep; may own networks.

    `loss` gives scalars whose names are those of `scales`, and metrics. `after_update` follows
    each step of the optimiser with the metrics of its loss, for what learns by rules of its own
    (multipliers, moving averages); all of it lives in `state_dict()`.
    """

    scales: dict[str, float]
    """Weight of every loss in the total."""

    @abstractmethod
    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """Losses of the batch and metrics to log."""

    def term_weights(self, like: Tensor) -> TermWeights:
        """Full strength, unless the objective says otherwise."""
        one = torch.ones((), device=like.device)
        return TermWeights(one, one)

    def after_update(self, metrics: Metrics) -> None:
        """Nothing, unless the objective has something that learns by itself."""
