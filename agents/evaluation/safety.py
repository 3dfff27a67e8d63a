"""How safely an agent moves: what its world reports of violated limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from agents.evaluation.rollouts import Rollouts
from agents.evaluation.statistics import ratio_interval

VIOLATION = "violation"
"""The side signal (1) that is above 0 where a limit is violated."""


def summarise_safety(rollouts: Rollouts, seed: int) -> dict[str, Any]:
    """Steps with a violation per 1,000 steps and the mean violation of a step, with intervals.

    Raises ValueError without the signal `violation`.
    """
    signal = rollouts.signals.get(VIOLATION)
    if signal is None:
        raise ValueError(f"safety needs the signal {VIOLATION!r}")
    violation = signal[:, 1:, 0].astype(np.float64)
    running = np.arange(violation.shape[1]) < rollouts.lengths[:, None]
    steps = rollouts.lengths.astype(np.float64)
    violated = ((violation > 0) & running).sum(axis=1) * 1000.0
    total = (violation * running).sum(axis=1)
    return {
        "episodes": len(steps),
        "violations_per_1000_steps": asdict(ratio_interval(violated, steps, seed)),
        "mean_violation": asdict(ratio_interval(total, steps, seed)),
    }
