"""The tasks: where data and episodes begin, and which states are the goal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

Range = tuple[tuple[float, ...], tuple[float, ...]]
"""Lowest and highest values of each coordinate."""


@dataclass(frozen=True)
class ControlTask:
    """One row of the table. Coordinates are those of the simulator: rad and m, rad/s and m/s."""

    env: str
    repeat: int
    """Control steps with one action; both tasks then decide 50 times a second."""
    data: Range
    """Positions and velocities that recorded sequences start from, uniformly."""
    start: Range
    """And those that episodes start from."""
    horizon: int
    """Steps of an episode."""
    noise: tuple[float, ...]
    """Standard deviation of what the noisy variant adds to each velocity before each step."""
    signals: tuple[str, ...]
    """Side signals that are the positions, in the simulator's order."""
    in_goal: Callable[[np.ndarray], np.ndarray]
    """From positions (N, P) to whether they are in the goal region."""


def wrapped(angle: np.ndarray) -> np.ndarray:
    """The same angle in [-π, π)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _pendulum_goal(position: np.ndarray) -> np.ndarray:
    return np.abs(wrapped(position[:, 0])) < math.pi / 6


def _cartpole_goal(position: np.ndarray) -> np.ndarray:
    upright = np.abs(wrapped(position[:, 1])) < math.pi / 10
    return upright & (np.abs(position[:, 0]) < 1.8)


PENDULUM_DATA: Range = ((-math.pi, -3 * math.pi), (math.pi, 3 * math.pi))
TASKS: Mapping[str, ControlTask] = MappingProxyType(
    {
        "pendulum balance": ControlTask(
            "dmc/pendulum-swingup", 1, PENDULUM_DATA, ((-0.1, 0.0), (0.1, 0.0)), 100, (0.1,),
            ("pole_angle",), _pendulum_goal,
        ),
        "pendulum swing-up": ControlTask(
            "dmc/pendulum-swingup", 1, PENDULUM_DATA,
            ((0.9 * math.pi, 0.0), (0.95 * math.pi, 0.0)), 250, (0.1,),
            ("pole_angle",), _pendulum_goal,
        ),
        "cart-pole balance": ControlTask(
            "dmc/cartpole-balance", 2,
            ((-1.5, -math.pi / 4, -2.0, -math.pi), (1.5, math.pi / 4, 2.0, math.pi)),
            ((0.0, -math.pi / 8, 0.0, 0.0), (0.0, math.pi / 8, 0.0, 0.0)), 50, (0.1, 0.2),
            ("position", "pole_angle"), _cartpole_goal,
        ),
    }
)  # fmt: skip
"""Tasks by name. Goals, horizons and starts follow those of PCC (arXiv 1909.01506) and its
successors where the simulators allow: their pendulum's motor lifts its pole from any angle, this
one's only within 11.7 degrees of vertical, so balancing starts within 5.7 degrees."""
