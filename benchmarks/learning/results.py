"""Curves and final figures of an experiment, from its runs to the files that are committed."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.learning.experiments import Experiment
from benchmarks.learning.runs import run_dir

Points = dict[int, dict[str, float]]
"""Values by env steps and metric."""
Curves = dict[str, dict[int, Points]]
"""Points by arm and seed."""
Runs = dict[str, dict[int, dict[str, Any]]]
"""Final figures by arm and seed."""
CONFIDENCE = 0.95


def mean_interval(values: Sequence[float]) -> dict[str, float | int | None]:
    """Mean of one value a seed and its 95% interval by Student's t; no interval for one seed."""
    mean, count = float(np.mean(values)), len(values)
    low = high = None
    if count > 1:
        half = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
        low, high = mean - half, mean + half
    return {"mean": mean, "low": low, "high": high, "seeds": count}


def read_run(folder: Path, metrics: Mapping[str, str]) -> tuple[Points, float]:
    """The points of a run, and the seconds that training took."""
    points: Points = {}
    seconds, last = 0.0, 0
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if found := {name: row[name] for name in metrics if name in row}:
            points[row["env_steps"]] = found
        if rate := row.get("time/env_steps_per_second"):
            seconds += (row["env_steps"] - last) / rate
            last = row["env_steps"]
    return points, seconds


def gather(
    experiment: Experiment, name: str, root: Path, seeds: Sequence[int], results: Path
) -> tuple[Curves, Runs]:
    """What there is under `root`, and what earlier collections left in `results` of other runs."""
    curves = _read_csv(results / f"learning_{name}.csv")
    runs = _read_runs(results / f"learning_{name}.json", experiment)
    for arm in experiment.arms:
        for seed in seeds:
            folder = run_dir(root, name, arm, seed)
            if not (folder / "metrics.jsonl").is_file():
                continue
            points, seconds = read_run(folder, experiment.metrics)
            curves[arm][seed] = points
            steps = max(points)
            runs[arm][seed] = {
                "seed": seed,
                "env_steps": steps,
                "final": points[steps],
                "training_seconds": round(seconds),
                **_report(folder, experiment),
            }
    return curves, runs


def write(experiment: Experiment, name: str, curves: Curves, runs: Runs, results: Path) -> None:
    """Write the curves as CSV and the final figures as JSON."""
    results.mkdir(exist_ok=True)
    with (results / f"learning_{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "seed", "env_steps", *experiment.metrics])
        for arm, seeds in curves.items():
            for seed, points in sorted(seeds.items()):
                for step, values in points.items():
                    row = [values.get(metric, "") for metric in experiment.metrics]
                    writer.writerow([arm, seed, step, *row])
    content = {
        "experiment": experiment.title,
        "machine": f"{_cpu()}, {os.cpu_count()} cores",
        "interval": "95%, Student's t over seeds",
        "arms": {arm: _summary(experiment, runs[arm]) for arm in experiment.arms if runs.get(arm)},
    }
    (results / f"learning_{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def _summary(experiment: Experiment, runs: dict[int, dict[str, Any]]) -> dict[str, Any]:
    ordered = [runs[seed] for seed in sorted(runs)]
    finals = {
        metric: mean_interval([run["final"][metric] for run in ordered])
        for metric in experiment.metrics
        if all(metric in run["final"] for run in ordered)
    }
    return {"final": finals, "runs": ordered}


def _read_csv(path: Path) -> Curves:
    curves: Curves = defaultdict(dict)
    if path.is_file():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                arm, seed, step = row.pop("arm"), int(row.pop("seed")), int(row.pop("env_steps"))
                values = {metric: float(value) for metric, value in row.items() if value}
                curves[arm].setdefault(seed, {})[step] = values
    return curves


def _thin(experiment: Experiment, run: dict[str, Any]) -> dict[str, Any]:
    """A run as it is written now; earlier collections kept whole evaluations."""
    figures = {name: value for name, value in run.items() if name != "evaluation"}
    return {**figures, **_evaluation(experiment, run.get("evaluation", {}))}


def _read_runs(path: Path, experiment: Experiment) -> Runs:
    runs: Runs = defaultdict(dict)
    if path.is_file():
        for arm, summary in json.loads(path.read_text())["arms"].items():
            runs[arm] = {run["seed"]: _thin(experiment, run) for run in summary["runs"]}
    return runs


def _report(folder: Path, experiment: Experiment) -> dict[str, Any]:
    """What the final evaluation measured of uniform random actions; all else stays in the run."""
    path = folder / "evaluation" / "report.json"
    return _evaluation(experiment, json.loads(path.read_text())) if path.is_file() else {}


def _evaluation(experiment: Experiment, report: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a report that an experiment's plots read, with intervals where it has them."""
    kept: dict[str, Any] = {}
    for path in experiment.random.values():
        *parents, last = path.removesuffix("/value").split("/")
        found: Any = report
        for key in (*parents, last):
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is not None:
            place = kept
            for key in parents:
                place = place.setdefault(key, {})
            place[last] = found
    return {"evaluation": kept} if kept else {}


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line for line in lines if line.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.processor()
