"""`rl-info evaluate`: numbers, pictures and videos of a trained run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from agents.errors import UsageError
from agents.evaluation.evaluate import REPORT, EvaluationConfig, evaluate
from agents.evaluation.load import load_subject
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


def summarise(report: Mapping[str, Any]) -> list[str]:
    """The figures of a report that a person asks for first, a line each."""
    returns = report["return"]
    lines = [
        f"{report['agent']} on {report['env']} after {report['env_steps']:,} env steps, "
        f"{report['episodes']} deterministic episodes",
        f"return: {_interval(returns)}",
    ]
    sections: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "coverage": _coverage_line,
        "goal_reaching": _goal_line,
        "video": lambda section: "",
    }
    for name, show in sections.items():
        message = report[name].get("message")
        line = f"{name.replace('_', ' ')}: {message}" if message else show(report[name])
        if line:
            lines.append(line)
    return lines


def _coverage_line(coverage: Mapping[str, Any]) -> str:
    return (
        f"state coverage: {coverage['cells']} cells of {coverage['cell_size_m']:g} m "
        f"(uniform random actions: {coverage['uniform_random_actions_cells']})"
    )


def _goal_line(goals: Mapping[str, Any]) -> str:
    rates = [
        f"{rate['value']:.0%} of {rate['count']} reached within {radius} m"
        if rate
        else f"all begin within {radius} m"
        for radius, rate in goals["success_within_m"].items()
    ]
    return f"{goals['goals']} zero-shot goals: {', '.join(rates)}"


def _interval(interval: Mapping[str, Any]) -> str:
    if interval["low"] is None:
        return f"{interval['value']:.1f}"
    bounds = f"[{interval['low']:.1f}, {interval['high']:.1f}]"
    return f"{interval['value']:.1f} {bounds} ({interval['confidence']:.0%} interval)"
