"""The contract of a task: a model, and what to see, earn and end in it, written batch-first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, Protocol

import mujoco
import numpy as np

Array = Any
"""A numpy array or a torch tensor: a task uses only what both have (see `array_namespace`)."""


class Fields(SimpleNamespace):
    """Live (N, ...) arrays of the MjData fields that a task asked for, by field name.

    `previous` holds copies of the task's `previous_fields`, taken before the control step.
    They are views of the simulation: copy before storing.
    """

    previous: SimpleNamespace


class FusedKernel(Protocol):
    """Observations (N, D), rewards (N,) and ends (N,) of N worlds, written in one call."""

    def __call__(
        self, data: Fields, action: Array, obs: Array, reward: Array, terminated: Array
    ) -> None:
        """Write `obs`, `reward` and `terminated`."""


class RandomSource(Protocol):
    """What `numpy.random.RandomState` and `numpy.random.Generator` have in common."""

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Draw from [low, high)."""

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Draw from N(loc, scale²)."""

    def standard_normal(self, size: Any = None) -> Any:
        """Draw from N(0, 1)."""


class Task(ABC):
    """One control problem on one MuJoCo model.

    `observe`, `reward`, `terminated` and `signals` see N worlds at once and are written once for
    numpy arrays and torch tensors, so that every backend runs the same definition. Only `reset`
    sees one world, because initial states are drawn on the host.

    Subclasses keep no state that changes after `__init__`: all that changes lives in the
    simulation, so that worlds never influence each other.
    """

    fields: ClassVar[tuple[str, ...]] = ("qpos", "qvel")
    """MjData fields to bind, beside `ctrl` and `time`; `model_fields` are bound as well."""
    previous_fields: ClassVar[tuple[str, ...]] = ()
    """Fields whose value before the control step the reward reads from `data.previous`."""
    model_fields: ClassVar[tuple[str, ...]] = ()
    """MjModel fields that `reset` draws anew for each world, such as `geom_pos` of a target."""
    derived: ClassVar[Literal["current", "lagged"]] = "current"
    """Whether derived fields (xpos, sensordata, ...) describe the state after the control step, as
    in dm_control, or lag one physics step behind it, as in Gymnasium."""
    random_source: ClassVar[Literal["random_state", "generator"]] = "random_state"
    """`random_state`: world i draws from numpy.random.RandomState(seed_i), as dm_control's suite;
    `generator`: from numpy.random.default_rng-like PCG64 as gymnasium.utils.seeding.np_random."""
    settles: ClassVar[bool] = False
    """Whether `reset` simulates many steps, so that a pool of initial states pays."""
    time_limit: ClassVar[int] = 1000
    """Control steps in an episode, after which it is truncated."""
    coverage_cell: ClassVar[float] = 1.0
    """Side in m of the cells in which coverage of `position` is counted."""
    signal_names: ClassVar[tuple[str, ...]] = ()
    """Names of all that `signals` returns, in its order, known without compiling a model."""

    model: mujoco.MjModel
    """The compiled model; set by `__init__`."""
    num_substeps: int
    """Physics steps in one control step; set by `__init__`."""
    observation_layout: Mapping[str, slice]
    """Names of the parts of the observation, in order, such as `position` and `velocity`; set by
    `__init__`."""

    @property
    def observation_size(self) -> int:
        """Width D of the observation."""
        return max(part.stop for part in self.observation_layout.values())

    @abstractmethod
    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Write an initial state into `data`, drawing from `random` just as the original task does.

        `data` is fresh from mj_resetData, and `model` is one world's own copy of `self.model`, in
        which only `model_fields` may be written. The backend computes the derived fields
        afterwards and copies state and `model_fields` into the world.
        """

    @abstractmethod
    def observe(self, data: Fields, out: Array) -> None:
        """Write the observations of N worlds into `out`, shape (N, D)."""

    @abstractmethod
    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write the rewards of N worlds into `out`, shape (N,); `action` has shape (N, A)."""

    def terminated(self, data: Fields, out: Array) -> None:
        """Write whether each world has reached a terminal state into `out`, shape (N,), bool."""
        out[...] = False

    def fused(self) -> FusedKernel | None:
        """One compiled function for `observe`, `reward` and `terminated`, where that pays.

        It must write the same observations and ends to the last bit, and the same rewards to
        rounding (within 1e-14), for numpy arrays.
        """
        return None

    def signals(self, data: Fields) -> dict[str, Array]:
        """Named side signals, batch-first (N, d); `position` first where the agent can move.

        They may be views of the simulation; the backend copies them.
        """
        return {}

    def action_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest action, float64 of shape (A,): the actuators' control ranges."""
        low, high = self.model.actuator_ctrlrange.T
        limited = self.model.actuator_ctrllimited.astype(bool)
        return np.where(limited, low, -np.inf), np.where(limited, high, np.inf)
