"""What the loop asks of an algorithm, and of those who watch a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from agents.learners.finite import NonFiniteLossError
from agents.learners.sequences import Sequences
from agents.training.collector import Policy
from rl_info.rewards.base import IntrinsicReward
from rl_info.transitions import Transitions


@runtime_checkable
class Learner(Policy, Protocol):
    """What the loop needs of an algorithm."""

    def update(
        self, batch: Any, valid: Bool[Tensor, "T B"] | None = None
    ) -> Mapping[str, Float[Tensor, ""]]:
        """Learn from one batch of its algorithm's kind: `Transitions`, or `Sequences`.

        Returns scalars to log.
        """
        ...

    @property
    def rewards(self) -> Mapping[str, IntrinsicReward]:
        """The reward modules by name."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on."""
        ...

    def load_state_dict(self, state: Any) -> Any:
        """Restore what `state_dict` returned."""
        ...


@runtime_checkable
class Observer(Protocol):
    """What happens around training; `step` counts env steps."""

    def progress(self, step: int, updates: int) -> None:
        """After every step of the worlds."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Means since the last log."""

    def evaluate(self, step: int) -> None:
        """Time to evaluate."""

    def save(self, step: int) -> None:
        """Time to write a checkpoint."""

    def dump(self, step: int, error: NonFiniteLossError, batch: Transitions | Sequences) -> None:
        """Training breaks off because of `batch`."""
