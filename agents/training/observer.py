"""What a run does besides learning: shows, logs, evaluates, saves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from agents.learners.finite import NonFiniteLossError
from agents.learners.sequences import Sequences
from agents.training.checkpoint import save_checkpoint
from agents.training.contracts import Learner
from agents.training.logger import RunLogger
from agents.training.progress import ProgressBar
from agents.training.run_folder import CHECKPOINTS
from rl_info.transitions import Transitions


@runtime_checkable
class Evaluation(Protocol):
    """Looks at the agent from time to time without disturbing its training."""

    def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
        """Evaluate after `step` env steps; may log pictures; returns scalars to log."""
        ...

    def close(self) -> None:
        """Let go of worlds."""


class RunObserver:
    """Carries out what the loop asks for in the folder of the run."""

    def __init__(
        self,
        folder: Path,
        logger: RunLogger,
        progress: ProgressBar,
        states: Callable[[], Mapping[str, Any]],
        learner: Learner,
        evaluation: Evaluation,
        keep_checkpoints: int,
        news: Callable[[], str | None] | None = None,
    ) -> None:
        self._folder = folder
        self._logger = logger
        self._progress = progress
        self._states = states
        self._learner = learner
        self._evaluation = evaluation
        self._keep = keep_checkpoints
        self._news = news

    def progress(self, step: int, updates: int) -> None:
        """Move the bar, and say what there is to say."""
        self._progress.update(step, updates)
        text = None if self._news is None else self._news()
        if text is not None:
            self._progress.message(text)

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars."""
        self._logger.scalars(step, scalars)

    def evaluate(self, step: int) -> None:
        """Evaluate, write the result and show it in a line."""
        scalars = self._evaluation(step, self._logger)
        self._logger.scalars(step, scalars)
        self._logger.flush()
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scalars.items())
        self._progress.message(f"{step:,} env steps: {shown}")

    def save(self, step: int) -> None:
        """Write a checkpoint; raises NonFiniteStateError instead if the learner is not sound."""
        save_checkpoint(self._folder / CHECKPOINTS, step, self._states(), self._keep)
        self._logger.flush()

    def dump(self, step: int, error: NonFiniteLossError, batch: Transitions | Sequences) -> None:
        """Write the batch and the state of the learner after it to `non_finite_XXXXXXXXX.pt`.

        `torch.load` reads the file with its safe default `weights_only=True`.
        """
        parts = {item.name: getattr(batch, item.name) for item in dataclasses.fields(batch)}
        content = {
            "step": step,
            "term": error.name,
            "batch": {name: _own(value) for name, value in parts.items()},
            "learner": self._learner.state_dict(),
        }
        torch.save(content, self._folder / dump_name(step))


def dump_name(step: int) -> str:
    """Name of the file that a run leaves when a loss is not finite at `step`."""
    return f"non_finite_{step:09d}.pt"


def _own(value: Any) -> Any:
    """Copies of the tensors, which may be views of larger ones."""
    if isinstance(value, Mapping):
        return {name: _own(item) for name, item in value.items()}
    return value.detach().clone()
