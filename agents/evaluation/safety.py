"""How safely an agent moves: what its world reports of violated limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float64

from agents.evaluation.rollouts import Rollouts
from agents.evaluation.statistics import ratio_interval

VIOLATION = "violation"
"""The side signal (1) that is above 0 where a limit is violated."""


def summarise_safety(rollouts: Rollouts, seed: int) -> dict[str, Any]:
    """Steps with a violation per 1,000 steps and the mean violation of a step, with intervals.

    Raises ValueError without the signal `violation`.
    """
    violation = _violations(rollouts)
    steps = rollouts.lengths.astype(np.float64)
    violated = (violation > 0).sum(axis=1) * 1000.0
    return {
        "episodes": len(steps),
        "violations_per_1000_steps": asdict(ratio_interval(violated, steps, seed)),
        "mean_violation": asdict(ratio_interval(violation.sum(axis=1), steps, seed)),
    }


def safety_scalars(rollouts: Rollouts) -> dict[str, float]:
    """Steps with a violation per 1,000 steps, to log; empty without the signal."""
    if VIOLATION not in rollouts.signals:
        return {}
    violated = (_violations(rollouts) > 0).sum()
    return {"eval/violations_per_1000_steps": float(1000.0 * violated / rollouts.lengths.sum())}


def _violations(rollouts: Rollouts) -> Float64[np.ndarray, "N T"]:
    """The violation after each step; 0 after the end of the episode."""
    signal = rollouts.signals.get(VIOLATION)
    if signal is None:
        raise ValueError(f"safety needs the signal {VIOLATION!r}")
    violation = signal[:, 1:, 0].astype(np.float64)
    running = np.arange(violation.shape[1]) < rollouts.lengths[:, None]
    return np.asarray(violation * running)
