"""Adam's step as one compiled pass over memory, in float32 or with a bfloat16 gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

FAST = {"contract", "reassoc"}


def _compile(function: Callable[..., Any]) -> Any:
    """Compile a loop over elements for vectors of any width.

    numpy's rules for division, fused multiply-add and a sum in parts make that possible. Each
    element is computed alone; only the sum of squares depends on the width.
    """
    # The shape checks of the tests wrap every function in one that cannot be compiled.
    plain = inspect.unwrap(function)
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)(plain)


@_compile
def _widen(bits: Any) -> Any:
    """The float32 number whose upper half are the bits of a bfloat16 number."""
    # numba's shifts of 32 bits have 64, which a cast takes back.
    return np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)


@_compile
def _narrow(value: Any) -> Any:
    """The bits of the bfloat16 number nearest to a float32 number, halves to even."""
    bits = np.float32(value).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return np.uint16((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))


@_compile
def adam(
    value: Any,
    first: Any,
    second: Any,
    gradient: Any,
    target: Any,
    rounded: Any,
    rounded_target: Any,
    factors: Any,
) -> Any:
    """One step over arrays of one length; returns the sum of squares of the gradient.

    `gradient` is float32, or the bits of bfloat16 numbers (uint16) if `rounded` is given, which
    then receives those of the new values. `target` moves to the new values; it and its rounded
    copy may be None. What is None is known when compiling, so that no branch is left in the loop.
    `factors` holds, in float32: step size, factor of the root, tau, both betas, epsilon.
    """
    rate, root, tau, beta1, beta2, epsilon = factors
    one, total = np.float32(1), np.float32(0)
    for i in range(value.shape[0]):
        slope = gradient[i] if rounded is None else _widen(gradient[i])
        square = slope * slope
        total += square
        first[i] = beta1 * first[i] + (one - beta1) * slope
        second[i] = beta2 * second[i] + (one - beta2) * square
        value[i] -= rate * first[i] / (np.sqrt(second[i]) * root + epsilon)
        if rounded is not None:
            rounded[i] = _narrow(value[i])
        if target is not None:
            target[i] += tau * (value[i] - target[i])
            if rounded_target is not None:
                rounded_target[i] = _narrow(target[i])
    return total
