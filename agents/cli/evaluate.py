"""`rl-info evaluate`: numbers, pictures and videos of a trained run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from agents.errors import UsageError
from agents.evaluation.evaluate import REPORT, evaluate
from agents.evaluation.load import load_subject
from agents.evaluation.settings import EvaluationConfig
from agents.evaluation.summary import summarise
from agents.evaluation.sweep_summary import summarise_sweep
from agents.evaluation.weight_sweep import POINTS, SWEEP_FIGURE, SWEEP_REPORT, sweep_weights
from agents.training.run_folder import EVALUATION


@dataclass(frozen=True)
class Arguments(EvaluationConfig):
    """Evaluate the newest checkpoint of a run folder."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")] = tyro.MISSING
    """Folder that `rl-info train` made."""
    checkpoint: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Checkpoint folder to evaluate instead of the newest one."""
    output_dir: Path | None = None
    """Where to write; default: the folder `evaluation` of the run, or one in it that is named
    after `--weights`."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights of rewards to command, for a run with commandable weights, as pairs such as
    `--weights reach 0.5 safety 2`; those not named are as configured."""
    sweep_weights: bool = False
    """Instead of evaluating: draw what each reward's commanded weight changes, over the range of
    training, into weight_sweep.png and weight_sweep.json."""
    sweep_points: int = POINTS
    """Weights of each reward in that sweep."""


def run(arguments: list[str]) -> int:
    """Evaluate as the command line asks, print a summary and the paths of the pictures."""
    options = tyro.cli(Arguments, args=arguments, prog="rl-info evaluate", description=__doc__)
    output_dir = options.output_dir or options.run_dir / EVALUATION / folder_of(options.weights)
    settings = {item.name: getattr(options, item.name) for item in fields(EvaluationConfig)}
    config = EvaluationConfig(**settings)
    if options.sweep_weights:
        _sweep(options, output_dir, config)
    else:
        evaluate_run(options.run_dir, output_dir, config, options.checkpoint, options.weights)
    return 0


def _sweep(options: Arguments, output_dir: Path, config: EvaluationConfig) -> None:
    report = sweep_weights(
        options.run_dir,
        output_dir,
        config,
        options.checkpoint,
        options.weights,
        options.sweep_points,
    )
    for line in summarise_sweep(report):
        print(line)
    for name in (SWEEP_FIGURE, SWEEP_REPORT):
        print(f"  {output_dir / name}")


def folder_of(weights: Mapping[str, float]) -> str:
    """A name for the evaluation under these weights, such as `reach=0.5,safety=2`; "" for none."""
    return ",".join(f"{name}={weight:g}" for name, weight in sorted(weights.items()))


def evaluate_run(
    run_dir: Path,
    output_dir: Path,
    config: EvaluationConfig | None = None,
    checkpoint: Path | None = None,
    weights: Mapping[str, float] | None = None,
) -> Mapping[str, Any]:
    """Evaluate the run in `run_dir`, write to `output_dir` and print what came out.

    Raises UsageError naming the file if the run folder is damaged or not one, or naming what cannot
    be commanded of `weights`.
    """
    subject = load_subject(run_dir, checkpoint, weights)
    try:
        report = evaluate(subject, output_dir, config)
    except ValueError as error:
        raise UsageError(str(error)) from error
    for line in summarise(report):
        print(line)
    for name in [*report["figures"].values(), *report["video"]["files"], REPORT]:
        print(f"  {output_dir / name}")
    return report
