"""The running input statistics of a reward."""

from __future__ import annotations

import pytest
import torch
from reward_batches import context, generator

from rl_info.rewards.inputs import StateInput
from rl_info.skills import SkillSpec


def rows(count: int, seed: int = 0) -> torch.Tensor:
    scale, shift = torch.tensor([1.0, 10.0, 0.1]), torch.tensor([5.0, 0.0, -2.0])
    return torch.randn(count, 3, generator=generator(seed)) * scale + shift


def test_statistics_of_parts_equal_those_of_the_whole():
    values = rows(1000)
    state = StateInput(context(SkillSpec(), obs_dim=3), "obs", rows=10_000)
    for part in values.split([1, 99, 400, 500]):
        state.learn(part)
    expected = (values - values.mean(0)) / values.std(0, correction=0)
    torch.testing.assert_close(state(values), expected, rtol=1e-4, atol=1e-5)


def test_statistics_freeze_after_the_given_rows():
    state = StateInput(context(SkillSpec(), obs_dim=3), "obs", rows=200)
    state.learn(rows(250))
    before = {key: value.clone() for key, value in state.state_dict().items()}
    state.learn(rows(250, seed=1) * 100)
    assert all(torch.equal(value, before[key]) for key, value in state.state_dict().items())


def test_zero_rows_pass_the_input_through():
    state = StateInput(context(SkillSpec(), obs_dim=3), "obs", rows=0)
    state.learn(rows(10))
    assert torch.equal(state(rows(10)), rows(10))


def test_a_constant_dimension_is_not_blown_up():
    state = StateInput(context(SkillSpec(), obs_dim=3), "obs", rows=100)
    values = rows(50)
    values[:, 1] = 4.0
    state.learn(values)
    assert torch.equal(state(values)[:, 1], torch.zeros(50))
    assert state(rows(50)).isfinite().all()


def test_negative_rows_are_refused():
    with pytest.raises(ValueError, match="normaliser_rows"):
        StateInput(context(SkillSpec(), obs_dim=3), "obs", rows=-1)
