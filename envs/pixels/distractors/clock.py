"""Which film each world shows, and how its episode is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from envs.seeding import restore_source, source_state

STREAM = 0xD157
"""Keeps a world's draws apart from those of its task, which have the same seed."""


class Clock:
    """N worlds' random choices, each from the world's own source, and the time since them.

    All choices are always drawn, so that one switch of the settings never changes what another
    one shows.

    Args:
        seeds: One for each world; None draws it from the operating system.
        switch_steps: Control steps between two films of an episode.
    """

    def __init__(self, seeds: Sequence[int | None], switch_steps: int) -> None:
        count = len(seeds)
        self._switch_steps = switch_steps
        self._sources = [_source(seed) for seed in seeds]
        self.steps: Int[np.ndarray, "N"] = np.zeros(count, np.int64)
        """Control steps since the film was chosen."""
        self.picks = np.zeros((count, 2))
        """Film and place in it, (N, 2) in [0, 1)."""
        self.turns = np.zeros((count, 3))
        """Of the camera about its axes, (N, 3) in [-1, 1)."""
        self.colours = np.zeros((count, 2, 3))
        """Changes of contrast and brightness of each channel, (N, 2, 3) in [-1, 1)."""

    def seed(self, worlds: Bool[np.ndarray, "N"], seeds: Sequence[int | None]) -> None:
        """Give those of the worlds that have a seed a fresh source."""
        for world in np.flatnonzero(worlds).tolist():
            if seeds[world] is not None:
                self._sources[world] = _source(seeds[world])

    def begin(self, worlds: Bool[np.ndarray, "N"]) -> None:
        """Choose anew for episodes that begin."""
        for world in np.flatnonzero(worlds):
            source = self._sources[world]
            self.picks[world] = source.random(2)
            self.turns[world] = source.uniform(-1, 1, 3)
            self.colours[world] = source.uniform(-1, 1, (2, 3))
        self.steps[worlds] = 0

    def advance(self, steps: int) -> None:
        """Let control steps pass, and choose another film where it is time."""
        self.steps += steps
        while (late := self.steps >= self._switch_steps).any():
            self.steps[late] -= self._switch_steps
            for world in np.flatnonzero(late):
                self.picks[world] = self._sources[world].random(2)

    def state_dict(self) -> dict[str, Any]:
        """All that changes, as copies."""
        return {
            "sources": [source_state(source) for source in self._sources],
            "steps": self.steps.copy(),
            "picks": self.picks.copy(),
            "turns": self.turns.copy(),
            "colours": self.colours.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`, of as many worlds."""
        for source, saved in zip(self._sources, state["sources"], strict=True):
            restore_source(source, saved)
        for name in ("steps", "picks", "turns", "colours"):
            getattr(self, name)[...] = state[name]


def _source(seed: int | None) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(STREAM,))))
