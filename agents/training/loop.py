"""The training loop: collect, update, log, evaluate, save. It knows no algorithm."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from agents.learners.finite import NonFiniteLossError
from agents.training.batches import Batch, Batches
from agents.training.collector import Collector, Policy
from agents.training.contracts import Learner, Observer
from agents.training.interruption import Interruption
from agents.training.metrics import MetricMeans, Speedometer
from agents.training.schedule import crossed


@dataclass(frozen=True)
class Intervals:
    """Env steps between logs, evaluations and checkpoints; 0 for never."""

    log: int
    evaluate: int
    checkpoint: int


@dataclass
class TrainingLoop:
    """Alternates one step of every world with the updates that are due for it."""

    collector: Collector
    learner: Learner
    batches: Batches
    intervals: Intervals
    observer: Observer
    policy: Policy | None = None
    """What acts in the worlds, if not the learner itself."""

    def run(self, total_steps: int, interruption: Interruption) -> None:
        """Train until `total_steps` env steps are done or an interruption is requested.

        Saves at the end in either case. Raises NonFiniteLossError, after a dump of the batch and
        without saving, if a loss is not finite.
        """
        means = MetricMeans()
        speed = Speedometer()
        policy = self.policy or self.learner
        step = saved_at = self.collector.env_steps
        while step < total_steps and not interruption.requested:
            before, updates_before, began = step, self.batches.updates, time.perf_counter()
            self.collector.step(policy)
            step = self.collector.env_steps
            for batch in self.batches.due(step):
                self._update(step, batch, means)
            updates = self.batches.updates
            speed.add(time.perf_counter() - began, step - before, updates - updates_before)
            self.observer.progress(step, updates)
            if crossed(self.intervals.log, before, step):
                self.observer.log(step, {**self._episodes(), **means.drain(), **speed.drain()})
            if crossed(self.intervals.evaluate, before, step):
                self.observer.evaluate(step)
            if crossed(self.intervals.checkpoint, before, step):
                self.observer.save(step)
                saved_at = step
        if saved_at != step:
            self.observer.save(step)

    def state_dict(self) -> dict[str, Any]:
        """That of the batches; the other parts have states of their own."""
        return self.batches.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.batches.load_state_dict(state)

    def _update(self, step: int, batch: Batch, means: MetricMeans) -> None:
        try:
            means.add(self.learner.update(batch.steps, batch.valid))
        except NonFiniteLossError as error:
            self.observer.dump(step, error, batch.steps)
            raise

    def _episodes(self) -> dict[str, float]:
        episodes = self.collector.drain_episodes()
        if not episodes:
            return {}
        return {
            "episode/return": fmean(episode.task_return for episode in episodes),
            "episode/length_steps": fmean(episode.length for episode in episodes),
        }
