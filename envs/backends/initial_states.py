"""How episodes begin: states computed in one scratch world, in the order the originals use."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import mujoco
import numpy as np

from envs.seeding import Source, make_source
from envs.tasks.base import Task

Resets = Literal["pool", "exact"]

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
POOL_SIZE = 64
POOL_SEED = 20_180_102
"""Fixed, so that the pool depends on neither the seed nor the number of worlds."""


@dataclass(frozen=True)
class InitialState:
    """The first moment of an episode, ready to be copied into a world."""

    row: np.ndarray
    """Full integration state, warm start included, (nstate,)."""
    outputs: Mapping[str, np.ndarray]
    """Derived fields as the original computes them after a reset, by name."""
    model_fields: Mapping[str, np.ndarray]
    """Model fields that the task drew, by name."""


class InitialStates(Protocol):
    """A source of initial states; draws only from the world's own random source."""

    def draw(self, source: Source) -> InitialState:
        """Return an initial state, advancing `source`."""


class ExactInitialStates:
    """Initial states that follow the original's random draws and forward passes step by step.

    Args:
        task: The task whose `reset` draws the state.
        outputs: Names of the derived fields to keep.
    """

    def __init__(self, task: Task, outputs: Sequence[str]) -> None:
        self._task = task
        self._outputs = tuple(outputs)
        self._model = copy.copy(task.model)
        self._data = mujoco.MjData(self._model)

    def draw(self, source: Source) -> InitialState:
        """Reset the scratch world with draws from `source`.

        Raises:
            FloatingPointError: if the simulation breaks down on the way.
        """
        task, model, data = self._task, self._model, self._data
        for name in task.model_fields:
            getattr(model, name)[...] = getattr(task.model, name)
        mujoco.mj_resetData(model, data)
        if task.derived == "current":
            self._forward_unactuated()
            task.reset(model, data, source)
            self._forward_unactuated()
        else:
            task.reset(model, data, source)
            mujoco.mj_forward(model, data)
        if data.warning.number.any():
            raise FloatingPointError(f"the reset of {type(task).__name__} broke the simulation")
        row = np.empty(mujoco.mj_stateSize(model, STATE))
        mujoco.mj_getState(model, data, row, STATE)
        return InitialState(
            row,
            {name: np.array(getattr(data, name)) for name in self._outputs},
            {name: np.array(getattr(model, name)) for name in task.model_fields},
        )

    def _forward_unactuated(self) -> None:
        """The suite's forward pass around resets: there are no meaningful controls yet."""
        with _actuation_disabled(self._model):
            mujoco.mj_forward(self._model, self._data)


class PooledInitialStates:
    """A fixed set of exact initial states, of which each world picks with its own source.

    An exact reset that simulates hundreds of steps would stall all other worlds; this one only
    copies. The pool is computed at first use.

    Args:
        exact: Computes the states of the pool.
        kind: Kind of random source that `exact` draws from.
        size: Number of states.
    """

    def __init__(
        self,
        exact: ExactInitialStates,
        kind: Literal["random_state", "generator"],
        size: int = POOL_SIZE,
    ) -> None:
        self._exact = exact
        self._kind: Literal["random_state", "generator"] = kind
        self._size = size
        self._pool: list[InitialState] = []

    def draw(self, source: Source) -> InitialState:
        """Pick a state uniformly, with a single draw from `source`."""
        if not self._pool:
            pool_source = make_source(self._kind, POOL_SEED)
            self._pool = [self._exact.draw(pool_source) for _ in range(self._size)]
        return self._pool[int(source.uniform(0.0, self._size))]


def make_initial_states(task: Task, outputs: Sequence[str], resets: Resets) -> InitialStates:
    """The way to reset `task`: `pool` pools only tasks whose reset settles, `exact` none.

    Raises:
        ValueError: for any other value of `resets`.
    """
    if resets not in _MAKERS:
        raise ValueError(f"resets must be one of {', '.join(_MAKERS)}; got {resets!r}")
    return _MAKERS[resets](task, ExactInitialStates(task, outputs))


def _pooled_if_slow(task: Task, exact: ExactInitialStates) -> InitialStates:
    return PooledInitialStates(exact, task.random_source) if task.settles else exact


_MAKERS: Mapping[str, Callable[[Task, ExactInitialStates], InitialStates]] = {
    "pool": _pooled_if_slow,
    "exact": lambda _, exact: exact,
}


@contextmanager
def _actuation_disabled(model: mujoco.MjModel) -> Iterator[None]:
    flags = model.opt.disableflags
    model.opt.disableflags = flags | mujoco.mjtDisableBit.mjDSBL_ACTUATION
    try:
        yield
    finally:
        model.opt.disableflags = flags
