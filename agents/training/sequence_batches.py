"""Batches of sequences, drawn from all that a sequence replay holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from agents.training.batches import Batch
from agents.training.schedule import UpdateClock
from agents.training.sequence_replay import SequenceReplay


class SequenceBatches:
    """`batch_size` windows of `length` observations for each update that the clock says is due.

    None is given before a window can be drawn; what was due then follows at once when it can.
    """

    def __init__(
        self,
        replay: SequenceReplay,
        clock: UpdateClock,
        batch_size: int,
        length: int,
        generator: torch.Generator,
    ) -> None:
        self._replay, self._clock, self._generator = replay, clock, generator
        self._batch_size, self._length = batch_size, length

    @property
    def updates(self) -> int:
        """See `Batches.updates`."""
        return self._clock.updates

    def due(self, env_steps: int) -> Iterator[Batch]:
        """As many as the clock says; see `Batches.due`."""
        if not self._replay.windows(self._length):
            return
        for _ in range(self._clock.due(env_steps)):
            yield Batch(self._replay.sample(self._batch_size, self._length, self._generator), None)
            self._clock.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """See `Batches.state_dict`."""
        return {"updates": self.updates, "generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Batches.load_state_dict`."""
        self._clock.updates = state["updates"]
        self._generator.set_state(state["generator"])
