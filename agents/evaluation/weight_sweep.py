"""What the weights that a policy is told trade off: each reward's weight in turn, over a grid."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from agents.errors import UsageError
from agents.evaluation.commanded_policy import require_commands
from agents.evaluation.load import load_subject
from agents.evaluation.settings import EvaluationConfig, Subject
from agents.evaluation.skill_episodes import collect_skill_episodes
from agents.evaluation.sweep_measures import measure
from agents.evaluation.weight_sweep_figure import weight_sweep_figure
from agents.planning.progress import progress
from agents.training.files import replace_atomically
from agents.training.run_folder import latest_checkpoint, read_config, versions
from agents.training.weight_commands import WeightCommands, weight_commands

SWEEP_REPORT = "weight_sweep.json"
SWEEP_FIGURE = "weight_sweep.png"
POINTS = 5
"""Weights of each reward."""

Weights = dict[str, float]


def sweep_weights(
    run_dir: Path,
    output_dir: Path,
    config: EvaluationConfig | None = None,
    checkpoint: Path | None = None,
    weights: Mapping[str, float] | None = None,
    points: int = POINTS,
) -> dict[str, Any]:
    """Write weight_sweep.json and weight_sweep.png to `output_dir`, and return the report.

    The weight of one reward at a time goes over `points` values, evenly spaced by ratio over the
    range of training, while the others are those in `weights`, or else the configured ones; that
    command is a point of every curve. At each command the deterministic policy runs
    `episodes_per_skill` episodes of each skill, from the same initial states and under the same
    skills for all commands, so that curves differ by the command alone. An interval is that of
    its point, not of the difference between two, and has no width where all episodes agree, as
    where none violates a limit.

    Raises UsageError naming the flag if the weights of the run are fixed, naming what cannot be
    commanded of `weights`, the setting that is out of range, or the file that is damaged.
    """
    config = config or EvaluationConfig()
    _require_settings(config, points)
    try:
        commands = require_commands(weight_commands(read_config(run_dir)))
        held = _told(commands, weights or {})
    except ValueError as error:
        raise UsageError(f"{run_dir}: {error}") from error
    # A run that is still training may save another one meanwhile.
    checkpoint = checkpoint or latest_checkpoint(run_dir)
    grids = weight_grids(commands, held, points)
    distinct = {_key(each): each for grid in grids.values() for each in grid}
    rows: dict[tuple[float, ...], dict[str, Any]] = {}
    with progress("weight sweep", len(distinct), "commands", thousands=False) as advance:
        for key, told in distinct.items():
            subject = _subject(run_dir, checkpoint, told)
            rows[key] = _measured(subject, config)
            advance(1)
    report = {
        **_heading(subject, config, points),
        "configured": dict(commands.configured),
        "factors": list(commands.factors),
        "held": held,
        "sweeps": {
            name: [
                {"weight": each[name], "weights": each, **rows[_key(each)]} for each in grids[name]
            ]
            for name in grids
        },
        "figure": SWEEP_FIGURE,
    }
    output_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    replace_atomically(output_dir / SWEEP_REPORT, text.encode())
    weight_sweep_figure(report, subject.label).savefig(output_dir / SWEEP_FIGURE)
    return report


def weight_grids(commands: WeightCommands, held: Weights, points: int) -> dict[str, list[Weights]]:
    """The commands of each reward's curve, by its ascending weight; `held` is one of each curve.

    Rewards that are trained with weight 0 stay without influence and have no curve.
    """
    return {
        name: [{**held, name: weight} for weight in _grid(commands, name, held[name], points)]
        for name, configured in commands.configured.items()
        if configured > 0
    }


def _grid(commands: WeightCommands, name: str, held: float, points: int) -> list[float]:
    weights = commands.configured[name] * np.geomspace(*commands.factors, points)
    grid = [_shown(float(weight)) for weight in weights]
    return sorted([held, *(each for each in grid if not math.isclose(each, held, rel_tol=1e-4))])


def _told(commands: WeightCommands, weights: Mapping[str, float]) -> Weights:
    """What the policy is told where it is asked for these."""
    told = commands.weights_of(commands.command(weights))
    return {name: _shown(weight) for name, weight in told.items()}


def _shown(weight: float) -> float:
    """Without the digits that single precision adds."""
    return float(f"{weight:.6g}")


def _key(weights: Weights) -> tuple[float, ...]:
    return tuple(weights.values())


def _subject(run_dir: Path, checkpoint: Path, told: Weights) -> Subject:
    # A reward without influence keeps its weight of 0, which is not to be commanded.
    return load_subject(run_dir, checkpoint, {name: each for name, each in told.items() if each})


def _measured(subject: Subject, config: EvaluationConfig) -> dict[str, Any]:
    rounds, seed = config.episodes_per_skill, config.seed
    cell_size = config.scales(subject.coverage_cell).cell_size
    try:
        episodes = collect_skill_episodes(subject, rounds, seed)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return {
        "episodes": len(episodes.lengths),
        **measure(episodes, subject.skill, rounds, cell_size, seed),
    }


def _heading(subject: Subject, config: EvaluationConfig, points: int) -> dict[str, Any]:
    return {
        "agent": subject.label.agent,
        "env": subject.label.env,
        "env_steps": subject.label.env_steps,
        "run_seed": subject.label.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "skill": asdict(subject.skill),
        "settings": {
            "points": points,
            "rounds": config.episodes_per_skill,
            "cell_size_m": config.scales(subject.coverage_cell).cell_size,
            "seed": config.seed,
        },
    }


def _require_settings(config: EvaluationConfig, points: int) -> None:
    if points < 2:
        raise UsageError(f"a sweep needs at least 2 weights of a reward: --sweep-points {points}")
    if config.episodes_per_skill == 0:
        raise UsageError("a sweep needs episodes: give --episodes-per-skill 8 or more")
