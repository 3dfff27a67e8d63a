"""How often a task is solved, where its world says what that means."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from agents.evaluation.rollouts import Rollouts
from agents.evaluation.statistics import Interval, rate_interval

SUCCESS = "success"
"""The side signal (1) that is 1 in states in which the task is solved, else 0."""


def success_intervals(rollouts: Rollouts) -> dict[str, Interval]:
    """Share of episodes that succeed after any of their steps, and after the last one.

    With Wilson's intervals. Initial states do not count. Raises ValueError without the signal
    `success`.
    """
    signal = rollouts.signals.get(SUCCESS)
    if signal is None:
        raise ValueError(f"success needs the signal {SUCCESS!r}")
    # Rows after the end of an episode repeat its last state.
    solved = signal[:, 1:, 0] > 0.5
    counts = {"at_any_step": solved.any(axis=1).sum(), "at_last_step": solved[:, -1].sum()}
    return {name: rate_interval(int(count), len(solved)) for name, count in counts.items()}


def summarise_success(rollouts: Rollouts) -> dict[str, Any]:
    """`success_intervals` as plain data."""
    return {name: asdict(interval) for name, interval in success_intervals(rollouts).items()}


def success_scalars(rollouts: Rollouts) -> dict[str, float]:
    """Both shares and the ends of their intervals under names to log; empty without the signal."""
    if SUCCESS not in rollouts.signals:
        return {}
    scalars: dict[str, float] = {}
    for name, interval in success_intervals(rollouts).items():
        ends = {"": interval.value, "_low": interval.low, "_high": interval.high}
        scalars |= {f"eval/success_{name}{end}": v for end, v in ends.items() if v is not None}
    return scalars
