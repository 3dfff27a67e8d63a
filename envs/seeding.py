"""One random source per world, seeded and saved in the way of the task's original."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

Source = np.random.RandomState | np.random.Generator
Kind = Literal["random_state", "generator"]


def _generator(seed: int | None) -> np.random.Generator:
    """The generator that gymnasium.utils.seeding.np_random makes of `seed`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))


SOURCES: Mapping[str, Callable[[int | None], Source]] = {
    "random_state": np.random.RandomState,
    "generator": _generator,
}


def make_source(kind: Kind, seed: int | None) -> Source:
    """A fresh source; None draws the seed from the operating system."""
    return SOURCES[kind](seed)


def spread_seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """One seed per world: world i gets `seed + i`, or its own from a sequence.

    Raises:
        ValueError: if a sequence has another length than `num_envs`, or a seed is negative.
    """
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        seeds: list[int | None] = [int(seed) + world for world in range(num_envs)]
    else:
        seeds = [None if value is None else int(value) for value in seed]
    if len(seeds) != num_envs:
        raise ValueError(f"{len(seeds)} seeds for {num_envs} worlds: give one each, or one integer")
    for world, value in enumerate(seeds):
        if value is not None and not 0 <= value < 2**32:
            raise ValueError(f"seed {value} of world {world} is not in [0, 2**32)")
    return seeds


def source_state(source: Source) -> Any:
    """A picture of `source` made of dicts, strings, integers and lists only."""
    if isinstance(source, np.random.Generator):
        return dict(source.bit_generator.state)
    name, keys, position, has_gauss, gauss = source.get_state(legacy=True)
    return {
        "bit_generator": str(name),
        "keys": [int(key) for key in keys],
        "position": int(position),
        "has_gauss": int(has_gauss),
        "gauss": float(gauss),
    }


def restore_source(source: Source, state: Mapping[str, Any]) -> None:
    """Bring `source` back to `state`, as `source_state` took it."""
    if isinstance(source, np.random.Generator):
        source.bit_generator.state = dict(state)
        return
    keys = np.asarray(state["keys"], dtype=np.uint32)
    source.set_state(
        (state["bit_generator"], keys, state["position"], state["has_gauss"], state["gauss"])
    )
