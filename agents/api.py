"""Training and evaluation from a script: what the command does, as functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.evaluation.evaluate import evaluate as evaluate_subject
from agents.evaluation.load import load_subject
from agents.evaluation.settings import EvaluationConfig
from agents.training import run
from agents.training.config import TrainConfig
from agents.training.defaults import default_config
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.run import Outcome
from agents.training.run_folder import EVALUATION

__all__ = ["EvaluationConfig", "Outcome", "TrainConfig", "default_config", "evaluate", "train"]


def train(run_dir: str | Path, config: TrainConfig, *, resume: bool = False) -> Outcome:
    """Train in the folder `run_dir`, or continue there; raises as `agents.training.run.train`."""
    return run.train(Path(run_dir), config, PeriodicEvaluation, resume=resume)


def evaluate(run_dir: str | Path, config: EvaluationConfig | None = None) -> Mapping[str, Any]:
    """Evaluate the newest checkpoint of `run_dir` into its folder `evaluation`.

    Returns the report that is also written there as JSON, beside pictures and videos. Raises
    UsageError naming the file if the folder is damaged or not that of a run.
    """
    folder = Path(run_dir)
    return evaluate_subject(load_subject(folder), folder / EVALUATION, config)
