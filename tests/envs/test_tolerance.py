"""The reward shaping against dm_control's, on numpy arrays and torch tensors."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from dm_control.utils import rewards
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.tasks.dmc.tolerance import REACHES_ZERO, SIGMOIDS, Sigmoid, tolerance

# Rounding of exp, cosh, cos and tanh differs between numpy's scalar and array routines.
ROUNDING = 4e-16


@settings(derandomize=True, max_examples=300)
@given(
    sigmoid=st.sampled_from(sorted(SIGMOIDS)),
    low=st.floats(-3, 3) | st.just(-math.inf),
    width=st.floats(0, 3) | st.just(math.inf),
    margin=st.just(0.0) | st.floats(0.01, 5),
    value=st.floats(0.01, 0.99),
    points=st.lists(st.floats(-10, 10), min_size=1, max_size=20),
)
def test_equals_dm_control(
    sigmoid: Sigmoid, low: float, width: float, margin: float, value: float, points: list[float]
) -> None:
    high = 1.5 if math.isinf(low) else low + width
    x = np.array([*points, low if math.isfinite(low) else 0.0, high if math.isfinite(high) else 0])
    expected = rewards.tolerance(x, (low, high), margin, sigmoid, value)
    made = tolerance(x, (low, high), margin, sigmoid, value)
    np.testing.assert_allclose(made, expected, rtol=0, atol=ROUNDING)
    tensor = tolerance(torch.tensor(x), (low, high), margin, sigmoid, value)
    assert tensor.dtype == torch.float64
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("sigmoid", sorted(REACHES_ZERO))
def test_zero_at_the_margin_is_allowed_where_reachable(sigmoid: Sigmoid) -> None:
    x = np.array([9.0, 10.0, 11.0, 12.0])
    made = tolerance(x, (0.0, 10.0), 2.0, sigmoid, 0.0)
    np.testing.assert_allclose(
        made, rewards.tolerance(x, (0.0, 10.0), 2.0, sigmoid, 0.0), rtol=0, atol=ROUNDING
    )
    assert made[1] == 1.0
    assert 0.0 < made[2] < 1.0
    assert made[3] == 0.0


def test_names_are_complete() -> None:
    assert set(get_args(Sigmoid)) == set(SIGMOIDS)


def test_keeps_shape_and_float32() -> None:
    x = torch.linspace(-1, 1, 6, dtype=torch.float32).reshape(2, 3)
    for margin in (0.0, 0.5):
        made = tolerance(x, (-0.2, 0.2), margin)
        assert (made.shape, made.dtype) == (x.shape, torch.float32)


def test_bounds_may_differ_between_worlds() -> None:
    x, upper = np.array([1.0, 1.0, 1.0]), np.array([0.5, 1.0, 2.0])
    made = tolerance(x, (0.0, upper), 1.0, "linear", 0.0)
    np.testing.assert_array_equal(made, [0.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bounds": (1.0, 0.0)}, "exceeds"),
        ({"margin": -1.0}, "negative"),
        ({"margin": 1.0, "value_at_margin": 0.0}, "value_at_margin 0.0"),
        ({"margin": 1.0, "value_at_margin": 1.0, "sigmoid": "linear"}, "value_at_margin 1.0"),
    ],
)
def test_senseless_arguments_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tolerance(np.zeros(2), **arguments)
