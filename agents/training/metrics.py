"""Means of what the learner reports, the guard against non-finite values, and the speed."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from agents.learners.finite import require_finite_losses


class MetricMeans:
    """Means over the updates since the last `drain`, kept on the learner's device.

    Metrics that come with only some updates are averaged over those updates.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], Float[Tensor, " M"]] = {}
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, metrics: Mapping[str, Float[Tensor, ""]]) -> None:
        """Add the metrics of one update; raises NonFiniteLossError naming a loss that is not."""
        if not metrics:
            return
        require_finite_losses(metrics)
        names = tuple(metrics)
        values = torch.stack([value.detach().float() for value in metrics.values()])
        if names in self._sums:
            self._sums[names] += values
            self._counts[names] += 1
        else:
            self._sums[names] = values
            self._counts[names] = 1

    def drain(self) -> dict[str, float]:
        """The means by name, and start afresh."""
        totals: dict[str, float] = {}
        counts: dict[str, int] = {}
        for names, values in self._sums.items():
            for name, value in zip(names, values.tolist(), strict=True):
                totals[name] = totals.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + self._counts[names]
        self._sums.clear()
        self._counts.clear()
        return {name: total / counts[name] for name, total in totals.items()}


class Speedometer:
    """Speed of collection and updates together; evaluation and saving do not count."""

    def __init__(self) -> None:
        self._start()

    def add(self, seconds: float, env_steps: int, updates: int) -> None:
        """Count `env_steps` and `updates` done in `seconds` of wall time."""
        self._seconds += seconds
        self._steps += env_steps
        self._updates += updates

    def drain(self) -> dict[str, float]:
        """Env steps and updates per second since the last call."""
        seconds = max(self._seconds, 1e-9)
        speeds = {
            "time/env_steps_per_second": self._steps / seconds,
            "time/updates_per_second": self._updates / seconds,
        }
        self._start()
        return speeds

    def _start(self) -> None:
        self._seconds = 0.0
        self._steps = 0
        self._updates = 0
