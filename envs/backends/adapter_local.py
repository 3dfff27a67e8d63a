"""Stepping several single worlds one after the other, in the process that calls."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, UInt8

from envs.backends.adapter_world import (
    Recipe,
    Signals,
    SingleWorld,
    UnsuitableEnvError,
    WorldSpec,
    closed_error,
)
from envs.errors import RenderingError, WorldError


@dataclass
class Outcome:
    """What one step of n worlds gave; signals are concatenated in the spec's order (width S)."""

    observation: Float[np.ndarray, "n D"]
    """The next episode's first where one ended."""
    signals: Float[np.ndarray, "n S"]
    reward: Float[np.ndarray, "n"]
    terminated: Bool[np.ndarray, "n"]
    truncated: Bool[np.ndarray, "n"]
    final_observation: Float[np.ndarray, "n D"]
    """Of the step itself, whether or not the episode ended."""
    final_signals: Float[np.ndarray, "n S"]

    @classmethod
    def empty(cls, n: int, observation_size: int, signal_size: int) -> Self:
        """Room for n worlds."""
        return cls(
            np.empty((n, observation_size)),
            np.empty((n, signal_size)),
            np.empty(n),
            np.empty(n, dtype=bool),
            np.empty(n, dtype=bool),
            np.empty((n, observation_size)),
            np.empty((n, signal_size)),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The outcomes of consecutive groups of worlds as one."""
        names = [part.name for part in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _ignore(world: int) -> None:
    """Nobody watches the progress."""


class LocalWorlds:
    """Consecutive worlds `first, first + 1, ...`, each made from its own seed.

    Args:
        recipe: Makes each world.
        seeds: One for each world; None lets the system choose.
        first: Index of the first world, for messages.
        announce: Called with a world's index before anything runs in it.

    Raises:
        WorldError: if a world's code raises, naming the world, with its traceback; the worlds
            are apart in time then, and refuse to go on.
        UnsuitableEnvError: if the env cannot be run at all.
    """

    def __init__(
        self,
        recipe: Recipe,
        seeds: Sequence[int | None],
        first: int = 0,
        announce: Callable[[int], None] = _ignore,
    ) -> None:
        self._first = first
        self._announce = announce
        self._end = ""
        self._worlds: list[SingleWorld] = []
        try:
            for index, seed in enumerate(seeds):
                with self._watched(index, UnsuitableEnvError):
                    self._worlds.append(recipe.make(seed))
        except BaseException:
            self.close()
            raise
        self.spec: WorldSpec = self._worlds[0].spec
        self._signal_size = sum(self.spec.signal_dims.values())
        self._observation_size = self.spec.observation_space.shape[0]

    @contextmanager
    def _watched(self, index: int, *refusals: type[Exception]) -> Iterator[None]:
        """Name the world in whatever goes wrong inside, except in `refusals`, which harm none."""
        if self._end:
            raise closed_error(self._end)
        world = self._first + index
        self._announce(world)
        try:
            yield
        except refusals:
            raise
        except Exception as error:
            self._end = f"world {world} raised {type(error).__name__}: {error}"
            raise WorldError([world], f"{self._end}\n{traceback.format_exc()}") from error

    def reset(
        self, mask: Bool[np.ndarray, "n"], seeds: Sequence[int | None]
    ) -> tuple[Float[np.ndarray, "n D"], Float[np.ndarray, "n S"]]:
        """Begin episodes in the worlds of `mask`; the other rows of the result mean nothing."""
        out = Outcome.empty(len(self._worlds), self._observation_size, self._signal_size)
        for index in np.flatnonzero(mask).tolist():
            with self._watched(index):
                observation, signals = self._worlds[index].reset(seeds[index])
                out.observation[index] = observation
                out.signals[index] = self._pack(signals)
        return out.observation, out.signals

    def step(self, actions: Float[np.ndarray, "n A"]) -> Outcome:
        """Step every world once, and begin a new episode where one ended."""
        out = Outcome.empty(len(self._worlds), self._observation_size, self._signal_size)
        for index, world in enumerate(self._worlds):
            with self._watched(index):
                step = world.step(actions[index])
                observation, signals = step.observation, step.signals
                out.final_observation[index] = observation
                out.final_signals[index] = self._pack(signals)
                out.reward[index] = step.reward
                out.terminated[index] = step.terminated
                out.truncated[index] = step.truncated
                if step.terminated or step.truncated:
                    observation, signals = world.reset(None)
                out.observation[index] = observation
                out.signals[index] = self._pack(signals)
        return out

    def _pack(self, signals: Signals) -> Float[np.ndarray, "S"]:
        dims = self.spec.signal_dims
        if {name: value.size for name, value in signals.items()} != dims:
            sizes = {name: value.size for name, value in signals.items()}
            raise ValueError(f"side signals changed from {dict(dims)} to {sizes}")
        return np.concatenate([signals[name] for name in dims]) if dims else np.empty(0)

    def picture(self, index: int, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
        """Draw the world at `index` of this group."""
        with self._watched(index, RenderingError):
            return self._worlds[index].picture(height, width)

    def state_dicts(self) -> list[dict[str, Any]]:
        """The state of every world."""
        states = []
        for index, world in enumerate(self._worlds):
            with self._watched(index, NotImplementedError):
                states.append(world.state_dict())
        return states

    def load_state_dicts(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Bring every world back to its state."""
        for index, (world, state) in enumerate(zip(self._worlds, states, strict=True)):
            with self._watched(index):
                world.load_state_dict(state)

    def close(self) -> None:
        """Close every world, whatever closing another one raises."""
        self._end = self._end or "close() was called"
        with ExitStack() as closing:
            for world in self._worlds:
                closing.callback(world.close)
