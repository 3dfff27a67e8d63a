"""A ring of the last observations of N worlds, sampled as windows of consecutive ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agents.learners.sequences import Sequences
from agents.training.replay_layout import StepArrays

FLAGS = ("reward", "terminated", "truncated", "is_first")


@dataclass(frozen=True)
class SequenceLayout:
    """Shape of an observation, and widths of what is stored beside it."""

    observation: tuple[int, ...]
    """(H, W, C) of uint8 images or (O,) of float32 vectors."""
    action_dim: int
    skill_dim: int = 0
    signals: Mapping[str, int] = field(default_factory=dict)
    """Width of every side signal to store."""

    @property
    def is_image(self) -> bool:
        """Whether observations are images."""
        return len(self.observation) == 3

    @cached_property
    def sizes(self) -> list[int]:
        """Widths of action, skill, signals and flags, in the order in which a row holds them."""
        return [self.action_dim, self.skill_dim, *self.signals.values(), len(FLAGS)]

    @property
    def bytes(self) -> int:
        """Of one observation with what is stored beside it."""
        pixels = int(np.prod(self.observation)) * (1 if self.is_image else 4)
        return pixels + 4 * sum(self.sizes)

    def describe(self) -> dict[str, Any]:
        """The sizes as plain data, for checkpoints and messages."""
        return {
            "observation": list(self.observation),
            "action": self.action_dim,
            "skill": self.skill_dim,
            "signals": dict(self.signals),
        }


class SequenceReplay:
    """The last observations of N worlds, each stored once, with what led to it.

    A step adds the observation it led to; the first one of an episode is added with the first step
    after it, so that an episode of L steps has L + 1 observations. Every world has its own ring,
    since worlds whose episodes end get one observation more. Images come as (C, H, W) and are
    stored as (H, W, C) bytes. Memory is `capacity · layout.bytes`, which the system grants as the
    rings fill up. Windows are drawn uniformly over worlds and positions, and may cross episodes.

    Raises ValueError if `capacity` does not hold two observations of each world.
    """

    def __init__(
        self,
        layout: SequenceLayout,
        num_worlds: int,
        capacity: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.length = capacity // num_worlds
        if self.length < 2:
            raise ValueError(
                f"a replay of {capacity} observations cannot hold two of {num_worlds} worlds: "
                "raise --replay-capacity"
            )
        self.layout, self.num_worlds, self.device = layout, num_worlds, torch.device(device)
        kind = np.uint8 if layout.is_image else np.float32
        # numpy, unlike torch, leaves the zeroed pages to the system until they are written.
        self._obs = np.zeros((num_worlds, self.length, *layout.observation), kind)
        self._rest = np.zeros((num_worlds, self.length, sum(layout.sizes)), np.float32)
        self._head = np.zeros(num_worlds, np.int64)
        self._filled = np.zeros(num_worlds, np.int64)
        self._open = np.zeros(num_worlds, bool)

    def __len__(self) -> int:
        """Number of stored observations, summed over worlds."""
        return int(self._filled.sum())

    def add(self, step: StepArrays) -> None:
        """Store one step of all N worlds, over the oldest observations of full rings."""
        fresh = np.flatnonzero(~self._open)
        if len(fresh):
            begin = self._rows(len(fresh), step.skill[fresh], _rows_of(step.signals, fresh))
            begin[:, -1] = 1.0
            self._write(fresh, step.obs[fresh], begin)
        worlds = np.arange(self.num_worlds)
        rows = self._rows(self.num_worlds, step.skill, step.next_signals)
        rows[:, : self.layout.action_dim] = step.action
        rows[:, -4], rows[:, -3], rows[:, -2] = step.reward, step.terminated, step.truncated
        self._write(worlds, step.next_obs, rows)
        self._open = ~(step.terminated | step.truncated)

    def cut_episodes(self) -> None:
        """Mark the newest observation of each open episode as truncated, and begin new ones."""
        worlds = np.flatnonzero(self._open)
        self._rest[worlds, (self._head[worlds] - 1) % self.length, -2] = 1.0
        self._open[:] = False

    def windows(self, length: int) -> int:
        """Number of different windows of `length` consecutive observations."""
        return int(self._starts(length).sum())

    def sample(self, count: int, length: int, generator: torch.Generator) -> Sequences:
        """`count` windows drawn with replacement; raises ValueError if there is none."""
        ends = np.cumsum(self._starts(length))
        if not ends[-1]:
            raise ValueError(f"the replay holds no window of {length} observations of one world")
        drawn = torch.randint(int(ends[-1]), (count,), generator=generator).numpy()
        world = np.searchsorted(ends, drawn, side="right")
        start = drawn - np.concatenate([[0], ends[:-1]])[world]
        oldest = self._head[world] - self._filled[world]
        slots = (oldest + start)[:, None] + np.arange(length)
        return self._read(world[:, None], slots % self.length)

    def state_dict(self) -> dict[str, Any]:
        """Cursors, layout and what is written (views: save them before adding more)."""
        most = int(self._filled.max())
        return {
            "layout": self.layout.describe(),
            "length": self.length,
            "head": self._head.copy(),
            "filled": self._filled.copy(),
            "open": self._open.copy(),
            "obs": torch.from_numpy(self._obs[:, :most]),
            "rest": torch.from_numpy(self._rest[:, :most]),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises ValueError if it is of another shape."""
        saved = (state["layout"], len(state["head"]), state["length"])
        own = (self.layout.describe(), self.num_worlds, self.length)
        if saved != own:
            raise ValueError(
                f"the saved replay holds {saved[0]} for {saved[1]} worlds, {saved[2]} each; "
                f"this run needs {own[0]} for {own[1]} worlds, {own[2]} each"
            )
        self._head[:], self._filled[:] = state["head"], state["filled"]
        self._open[:] = state["open"]
        most = state["obs"].shape[1]
        self._obs[:, :most], self._rest[:, :most] = state["obs"].numpy(), state["rest"].numpy()

    def _rows(
        self,
        count: int,
        skill: Float[np.ndarray, "M Z"],
        signals: Mapping[str, Float[np.ndarray, "M _"]],
    ) -> Float[np.ndarray, "M W"]:
        """Rows without action, reward and flags."""
        layout = self.layout
        parts = [np.zeros((count, layout.action_dim), np.float32), skill]
        parts += [signals[name] for name in layout.signals]
        return np.concatenate([*parts, np.zeros((count, len(FLAGS)))], axis=1, dtype=np.float32)

    def _write(
        self,
        worlds: Int[np.ndarray, " M"],
        obs: Shaped[np.ndarray, "M ..."],
        rows: Float[np.ndarray, "M W"],
    ) -> None:
        slots = self._head[worlds]
        self._obs[worlds, slots] = np.moveaxis(obs, 1, -1) if self.layout.is_image else obs
        self._rest[worlds, slots] = rows
        self._head[worlds] = (slots + 1) % self.length
        self._filled[worlds] = np.minimum(self._filled[worlds] + 1, self.length)

    def _starts(self, length: int) -> Int[np.ndarray, " N"]:
        """Windows of each world."""
        return np.maximum(self._filled - length + 1, 0)

    def _read(self, world: Int[np.ndarray, "B 1"], slots: Int[np.ndarray, "B T"]) -> Sequences:
        rest = _aligned(self._rest[world, slots], self.device)
        action, skill, *signals, flags = rest.split(self.layout.sizes, dim=-1)
        reward, *ends = flags.unbind(dim=-1)
        terminated, truncated, is_first = (end.bool() for end in ends)
        return Sequences(
            obs=_aligned(self._obs[world, slots], self.device),
            action=action,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            is_first=is_first,
            skill=skill,
            signals=dict(zip(self.layout.signals, signals, strict=True)),
        )


def _rows_of(
    signals: Mapping[str, Float[np.ndarray, "N _"]], rows: Int[np.ndarray, " M"]
) -> dict[str, Float[np.ndarray, "M _"]]:
    return {name: value[rows] for name, value in signals.items()}


def _aligned(
    rows: Shaped[np.ndarray, "B T ..."], device: torch.device
) -> Shaped[Tensor, "B T ..."]:
    """A tensor in memory of torch's own: where numpy's lies, sums may be rounded otherwise."""
    return torch.from_numpy(rows).to(device, copy=True)
