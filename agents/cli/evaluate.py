"""`rl-info evaluate`: numbers, pictures and videos of a trained run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from agents.errors import UsageError
from agents.evaluation.evaluate import REPORT, evaluate
from agents.evaluation.load import load_subject
from agents.evaluation.settings import EvaluationConfig
from agents.evaluation.summary import summarise
from agents.training.run_folder import EVALUATION


@dataclass(frozen=True)
class Arguments(EvaluationConfig):
    """Evaluate the newest checkpoint of a run folder."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")] = tyro.MISSING
    """Folder that `rl-info train` made."""
    checkpoint: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Checkpoint folder to evaluate instead of the newest one."""
    output_dir: Path | None = None
    """Where to write; default: the folder `evaluation` of the run."""


def run(arguments: list[str]) -> int:
    """Evaluate as the command line asks, print a summary and the paths of the pictures."""
    options = tyro.cli(Arguments, args=arguments, prog="rl-info evaluate", description=__doc__)
    output_dir = options.output_dir or options.run_dir / EVALUATION
    settings = {item.name: getattr(options, item.name) for item in fields(EvaluationConfig)}
    evaluate_run(options.run_dir, output_dir, EvaluationConfig(**settings), options.checkpoint)
    return 0


def evaluate_run(
    run_dir: Path,
    output_dir: Path,
    config: EvaluationConfig | None = None,
    checkpoint: Path | None = None,
) -> Mapping[str, Any]:
    """Evaluate the run in `run_dir`, write to `output_dir` and print what came out.

    Raises UsageError naming the file if the run folder is damaged or not one.
    """
    subject = load_subject(run_dir, checkpoint)
    try:
        report = evaluate(subject, output_dir, config)
    except ValueError as error:
        raise UsageError(str(error)) from error
    for line in summarise(report):
        print(line)
    for name in [*report["figures"].values(), *report["video"]["files"], REPORT]:
        print(f"  {output_dir / name}")
    return report
