from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.learners.returns import lambda_return, n_step_return


@settings(max_examples=50, deadline=None)
@given(steps=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_n_step_returns_equal_a_loop_over_steps(steps, seed):
    generator = torch.Generator().manual_seed(seed)
    K, B = 2, 8
    reward = torch.randn(K, steps, B, generator=generator)
    discount = torch.tensor([0.99, 0.5])
    terminated = torch.rand(steps, B, generator=generator) < 0.2
    truncated = torch.rand(steps, B, generator=generator) < 0.2
    ended = (terminated | truncated).cumsum(0) > 0
    valid = torch.cat([torch.ones(1, B, dtype=torch.bool), ~ended[:-1]])
    found = n_step_return(reward, discount, terminated, valid)
    for k in range(K):
        for b in range(B):
            total, factor = 0.0, 1.0
            for t in range(steps):
                total += factor * float(reward[k, t, b])
                factor *= float(discount[k])
                if terminated[t, b]:
                    factor = 0.0
                if terminated[t, b] or truncated[t, b]:
                    break
            assert float(found.reward[k, b]) == pytest.approx(total, abs=1e-5)
            assert float(found.discount[k, b]) == pytest.approx(factor, abs=1e-6)
            assert int(found.last[b]) == t


@settings(max_examples=50, deadline=None)
@given(steps=st.integers(1, 8), lambda_=st.floats(0, 1), seed=st.integers(0, 10_000))
def test_lambda_returns_equal_the_mixture_of_n_step_returns(steps, lambda_, seed):
    generator = torch.Generator().manual_seed(seed)
    reward = torch.randn(steps, 3, generator=generator)
    value = torch.randn(steps, 3, generator=generator)
    discount = 0.9 * (torch.rand(steps, 3, generator=generator) > 0.2)
    found = lambda_return(reward, value, discount, lambda_)

    def n_step(start: int, count: int, b: int) -> float:
        total, factor = 0.0, 1.0
        for t in range(start, start + count):
            total += factor * float(reward[t, b])
            factor *= float(discount[t, b])
        return total + factor * float(value[start + count - 1, b])

    for start in range(steps):
        longest = steps - start
        for b in range(3):
            mixture = sum(
                (1 - lambda_) * lambda_ ** (n - 1) * n_step(start, n, b) for n in range(1, longest)
            )
            mixture += lambda_ ** (longest - 1) * n_step(start, longest, b)
            assert float(found[start, b]) == pytest.approx(mixture, abs=1e-4)


def test_lambda_outside_the_unit_interval_is_refused():
    one = torch.ones(2, 1)
    with pytest.raises(ValueError, match="lambda"):
        lambda_return(one, one, one, 1.1)
