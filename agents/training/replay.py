"""A ring of the last steps of N worlds, sampled uniformly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agents.training.replay_layout import ReplayLayout, StepArrays
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class Windows:
    """B windows of T consecutive steps of one world each."""

    steps: Transitions
    """All T·B steps, time-major: row t·B + b is step t of window b."""
    valid: Bool[Tensor, "T B"]
    """False from the first step on that is past the write head, past the end of the episode, or
    under another skill than the window's first step; the first step is always valid."""


class Replay:
    """The last `capacity` steps of N worlds in one float32 block of shape (T, N, width).

    A step is one row of the block, so that sampling is a single gather that touches B cache-near
    rows. Memory is `capacity · width · 4` bytes, which the system grants as the ring fills up.

    Raises ValueError if `capacity` does not hold at least one step of each world.
    """

    def __init__(
        self,
        layout: ReplayLayout,
        num_worlds: int,
        capacity: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.length = capacity // num_worlds
        if self.length < 1:
            raise ValueError(
                f"a replay of {capacity} steps cannot hold one step of {num_worlds} worlds"
            )
        self.layout = layout
        self.num_worlds = num_worlds
        self.device = torch.device(device)
        # numpy, unlike torch, leaves the zeroed pages to the system until they are written.
        self._block = np.zeros((self.length, num_worlds, layout.width), dtype=np.float32)
        self._rows = torch.from_numpy(self._block).view(self.length * num_worlds, layout.width)
        self._head = 0
        self._filled = 0

    def __len__(self) -> int:
        """Number of stored steps, summed over worlds."""
        return self._filled * self.num_worlds

    @property
    def capacity(self) -> int:
        """Most steps it can hold: the asked-for capacity rounded down to a multiple of N."""
        return self.length * self.num_worlds

    def add(self, step: StepArrays) -> None:
        """Store one step of all N worlds, over the oldest one once the ring is full."""
        self.layout.write(self._block[self._head], step)
        self._head = (self._head + 1) % self.length
        self._filled = min(self._filled + 1, self.length)

    def cut_episodes(self) -> None:
        """Mark the newest step of each world as truncated, unless it is terminated.

        For a run that continues in freshly reset worlds: what was open can no longer be continued.
        """
        if self._filled:
            self.layout.truncate(self._block[(self._head - 1) % self.length])

    def sample(self, batch_size: int, generator: torch.Generator) -> Transitions:
        """`batch_size` steps drawn uniformly with replacement; raises ValueError when empty."""
        return self.layout.read(self._gather(self._draw(batch_size, generator)))

    def sample_windows(self, batch_size: int, length: int, generator: torch.Generator) -> Windows:
        """`batch_size` windows of `length` steps whose first steps are drawn as in `sample`.

        Raises ValueError when empty or if `length` is below 1.
        """
        if length < 1:
            raise ValueError(f"a window has at least 1 step, got {length}")
        start = self._draw(batch_size, generator)
        offset = torch.arange(length).unsqueeze(1)
        slot = torch.div(start, self.num_worlds, rounding_mode="floor")
        age = (slot - self._oldest) % self.length + offset
        index = (start + offset * self.num_worlds) % self._rows.shape[0]
        rows = self._gather(index.flatten())
        steps = self.layout.read(rows)
        ended = (steps.terminated | steps.truncated).view(length, batch_size)
        skill = steps.skill.unflatten(0, (length, batch_size))
        age = age.to(self.device)
        over = torch.zeros_like(ended)
        over[1:] = ended[:-1].cumsum(0) > 0
        over |= ((skill != skill[0]).any(-1).cumsum(0) > 0) | (age >= self._filled)
        return Windows(steps, ~over)

    def newest(self, length: int) -> Transitions:
        """The last `length` steps of every world, time-major (row t·N + n), oldest first.

        Raises ValueError if fewer are stored.
        """
        if not 1 <= length <= self._filled:
            raise ValueError(f"the replay holds {self._filled} steps of each world, not {length}")
        slots = torch.arange(self._head - length, self._head) % self.length
        index = slots[:, None] * self.num_worlds + torch.arange(self.num_worlds)
        return self.layout.read(self._gather(index.flatten()))

    def state_dict(self) -> dict[str, Any]:
        """Cursor, layout and the written part of the block (a view: save it before adding more)."""
        return {
            "layout": self.layout.describe(),
            "head": self._head,
            "filled": self._filled,
            "block": torch.from_numpy(self._block[: self._filled]),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises ValueError if it is of another shape."""
        block = state["block"]
        if state["layout"] != self.layout.describe() or block.shape[1:] != self._block.shape[1:]:
            raise ValueError(
                f"the saved replay holds {state['layout']} for {block.shape[1]} worlds, "
                f"this run needs {self.layout.describe()} for {self.num_worlds}"
            )
        if block.shape[0] > self.length or (
            block.shape[0] < self.length and state["head"] != block.shape[0]
        ):
            raise ValueError("the saved replay has another capacity than this run")
        self._head, self._filled = state["head"], state["filled"]
        self._block[: self._filled] = block.numpy()

    def _gather(self, index: Int[Tensor, " B"]) -> Float[Tensor, "B W"]:
        # One row holds the whole step, so that this is the only copy to the device.
        return self._rows.index_select(0, index).to(self.device)

    @property
    def _oldest(self) -> int:
        return self._head if self._filled == self.length else 0

    def _draw(self, batch_size: int, generator: torch.Generator) -> Int[Tensor, " B"]:
        if not self._filled:
            raise ValueError("the replay is empty: collect before sampling")
        return torch.randint(len(self), (batch_size,), generator=generator)
