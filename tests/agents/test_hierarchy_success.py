"""Success: which episodes count as solved, and at which of their steps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from agents.evaluation.rollouts import Rollouts
from agents.evaluation.success import success_intervals, success_scalars, summarise_success


def rollouts(success: list[list[float]], signal: str = "success") -> Rollouts:
    solved = np.array(success, dtype=np.float32)[..., None]
    count, states = solved.shape[:2]
    return Rollouts(
        skills=np.zeros((count, 0), np.float32),
        obs=np.zeros((count, states, 1), np.float32),
        signals={signal: solved},
        rewards=np.zeros((count, states - 1)),
        lengths=np.full(count, states - 1),
    )


def test_any_step_and_the_last_one_but_not_the_start() -> None:
    episodes = rollouts([[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1], [0, 0, 0]])
    shares = success_intervals(episodes)
    assert (shares["at_any_step"].value, shares["at_last_step"].value) == (3 / 5, 2 / 5)
    for name, wins in (("at_any_step", 3), ("at_last_step", 2)):
        wilson = stats.binomtest(wins, 5).proportion_ci(0.95, method="wilson")
        assert (shares[name].low, shares[name].high) == tuple(wilson)
        assert summarise_success(episodes)[name]["count"] == 5
    scalars = success_scalars(episodes)
    assert scalars["eval/success_at_any_step"] == 3 / 5
    assert scalars["eval/success_at_last_step_low"] == shares["at_last_step"].low
    assert len(scalars) == 6


def test_without_the_signal_nothing_is_claimed() -> None:
    other = rollouts([[0, 1]], signal="position")
    assert success_scalars(other) == {}
    with pytest.raises(ValueError, match="'success'"):
        success_intervals(other)
