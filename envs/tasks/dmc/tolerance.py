"""How close values are to an interval, from 1 inside it down to 0: the suite's reward shaping.

Tassa et al. 2018, "DeepMind Control Suite", section 3 (rewards).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace

from envs.tasks.base import Array

Sigmoid = Literal[
    "gaussian",
    "hyperbolic",
    "long_tail",
    "reciprocal",
    "cosine",
    "linear",
    "quadratic",
    "tanh_squared",
]

# Each shape takes a distance d >= 0, the value wanted at d = 1, and the array namespace.
Shape = Callable[[Array, float, Any], Array]


def _gaussian(d: Array, value: float, xp: Any) -> Array:
    scale = math.sqrt(-2 * math.log(value))
    return xp.exp(-0.5 * (d * scale) ** 2)


def _hyperbolic(d: Array, value: float, xp: Any) -> Array:
    return 1 / xp.cosh(d * math.acosh(1 / value))


def _long_tail(d: Array, value: float, xp: Any) -> Array:
    return 1 / ((d * math.sqrt(1 / value - 1)) ** 2 + 1)


def _reciprocal(d: Array, value: float, xp: Any) -> Array:
    return 1 / (d * (1 / value - 1) + 1)


def _cosine(d: Array, value: float, xp: Any) -> Array:
    scaled = d * (math.acos(2 * value - 1) / math.pi)
    return (1 + xp.cos(math.pi * xp.where(scaled < 1, scaled, 1.0))) / 2


def _linear(d: Array, value: float, xp: Any) -> Array:
    scaled = d * (1 - value)
    return xp.where(scaled < 1, 1 - scaled, 0.0)


def _quadratic(d: Array, value: float, xp: Any) -> Array:
    scaled = d * math.sqrt(1 - value)
    return xp.where(scaled < 1, 1 - scaled**2, 0.0)


def _tanh_squared(d: Array, value: float, xp: Any) -> Array:
    return 1 - xp.tanh(d * math.atanh(math.sqrt(1 - value))) ** 2


SIGMOIDS: Mapping[str, Shape] = {
    "gaussian": _gaussian,
    "hyperbolic": _hyperbolic,
    "long_tail": _long_tail,
    "reciprocal": _reciprocal,
    "cosine": _cosine,
    "linear": _linear,
    "quadratic": _quadratic,
    "tanh_squared": _tanh_squared,
}
REACHES_ZERO = frozenset({"cosine", "linear", "quadratic"})
"""Shapes that may be exactly 0 at the margin; the others only approach it."""


def tolerance(
    x: Array,
    bounds: tuple[float | Array, float | Array] = (0.0, 0.0),
    margin: float = 0.0,
    sigmoid: Sigmoid = "gaussian",
    value_at_margin: float = 0.1,
) -> Array:
    """1 where `x` lies within `bounds`, falling off outside; equals dm_control's to rounding.

    Args:
        x: numpy array or torch tensor of any shape.
        bounds: lower and upper end, inclusive; may be infinite, or arrays that broadcast with `x`.
        margin: distance from the bounds at which the value is `value_at_margin`; 0 makes a step.
        sigmoid: the shape of the fall.
        value_at_margin: in (0, 1), or in [0, 1) for `cosine`, `linear` and `quadratic`.

    Returns:
        Array of the shape, kind and dtype of `x`, in [0, 1].

    Raises:
        ValueError: for reversed float bounds, a negative margin or a value out of range.
    """
    lower, upper = bounds
    if isinstance(lower, int | float) and isinstance(upper, int | float) and lower > upper:
        raise ValueError(f"lower bound {lower} exceeds upper bound {upper}")
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    # The namespace is looked up at each step of every world, and numpy needs no looking up.
    xp = np if isinstance(x, np.ndarray) else array_namespace(x)
    if margin == 0:
        return xp.astype((lower <= x) & (x <= upper), x.dtype)
    if not (0 < value_at_margin < 1 or (value_at_margin == 0 and sigmoid in REACHES_ZERO)):
        raise ValueError(f"value_at_margin {value_at_margin} is out of range for {sigmoid!r}")
    return SIGMOIDS[sigmoid](_distance(x, lower, upper, xp) / margin, value_at_margin, xp)


def _distance(x: Array, lower: float | Array, upper: float | Array, xp: Any) -> Array:
    """Distance to the bounds, zero inside, where every shape is exactly 1."""
    if isinstance(upper, float) and upper == math.inf:
        return xp.where(x < lower, lower - x, 0.0)
    return xp.where(x < lower, lower - x, xp.where(x > upper, x - upper, 0.0))
