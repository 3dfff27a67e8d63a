"""Where the batches that a learner learns from come from, and when they are due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool
from torch import Tensor

from agents.learners.sequences import Sequences
from agents.training.replay import Replay
from agents.training.schedule import UpdateClock
from rl_info.transitions import Transitions


class Batch(NamedTuple):
    """What an update learns from."""

    steps: Transitions | Sequences
    valid: Bool[Tensor, "T B"] | None
    """For T consecutive steps of B sequences, time-major: which of them count."""


@runtime_checkable
class Batches(Protocol):
    """Gives a learner its batches."""

    @property
    def updates(self) -> int:
        """Updates made, each from one batch."""
        ...

    def due(self, env_steps: int) -> Iterator[Batch]:
        """The batches that are due after `env_steps` and were not given yet."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What the next batches depend on, beside the replay."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        ...


class SampledBatches:
    """Batches of steps, or of windows of steps, drawn from all that the replay holds."""

    def __init__(
        self,
        replay: Replay,
        clock: UpdateClock,
        batch_size: int,
        window: int,
        generator: torch.Generator,
    ) -> None:
        self._replay = replay
        self._clock = clock
        self._batch_size = batch_size
        self._window = window
        self._generator = generator

    @property
    def updates(self) -> int:
        """See `Batches.updates`."""
        return self._clock.updates

    def due(self, env_steps: int) -> Iterator[Batch]:
        """As many as the clock says; see `Batches.due`."""
        for _ in range(self._clock.due(env_steps)):
            yield self._draw()
            self._clock.updates += 1

    def _draw(self) -> Batch:
        if self._window == 1:
            return Batch(self._replay.sample(self._batch_size, self._generator), None)
        windows = self._replay.sample_windows(self._batch_size, self._window, self._generator)
        return Batch(windows.steps, windows.valid)

    def state_dict(self) -> dict[str, Any]:
        """See `Batches.state_dict`."""
        return {"updates": self.updates, "generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Batches.load_state_dict`."""
        self._clock.updates = state["updates"]
        self._generator.set_state(state["generator"])


class RolloutBatches:
    """Each step of every world once, in rollouts of `length` steps: what on-policy learners need.

    The replay must hold at least one rollout. Where a resumed run had to cut its episodes in the
    middle of a rollout, the steps before the cut count as truncated.
    """

    def __init__(self, replay: Replay, length: int) -> None:
        self.updates = 0
        self._replay = replay
        self._length = length
        self._steps = 0

    def due(self, env_steps: int) -> Iterator[Batch]:
        """The newest rollout, at the step that completes it; see `Batches.due`.

        To be asked once after every step of the worlds, which may be more than one env step.
        """
        worlds = self._replay.num_worlds
        self._steps += 1
        if self._steps // self._length <= self.updates:
            return
        steps = self._replay.newest(self._length)
        yield Batch(steps, torch.ones(self._length, worlds, dtype=torch.bool))
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """See `Batches.state_dict`."""
        return {"updates": self.updates, "steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Batches.load_state_dict`."""
        self.updates, self._steps = state["updates"], state["steps"]
