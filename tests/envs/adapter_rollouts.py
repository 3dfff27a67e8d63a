"""Driving adapter worlds and comparing what they return, for the adapter's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from envs.backends.adapter import AdapterWorld

STEPS = 25


def actions_for(world: AdapterWorld, steps: int = STEPS) -> np.ndarray:
    random = np.random.default_rng(11)
    space = world.single_action_space
    low, high = np.maximum(space.low, -2.0), np.minimum(space.high, 2.0)
    return random.uniform(low, high, (steps, world.num_envs, *space.shape)).astype(np.float32)


def follow(world: AdapterWorld, actions: np.ndarray) -> Iterator[tuple[Any, ...]]:
    """Every array that the world returns, in order."""
    for action in actions:
        obs, reward, terminated, truncated, info = world.step(action)
        yield obs, reward, terminated, truncated
        if "_final_obs" in info:
            yield info["_final_obs"], info["final_obs"]


def assert_same(left: Iterator[tuple[Any, ...]], right: Iterator[tuple[Any, ...]]) -> None:
    for ours, theirs in zip(left, right, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
