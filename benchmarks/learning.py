"""Long learning runs through the public command, their curves and their final figures.

    python benchmarks/learning.py run cheetah --jobs 2      # trains and evaluates; hours
    python benchmarks/learning.py collect cheetah           # CSV, JSON and PNG under results/

`run` skips what is already trained and continues what was interrupted, so it may be called again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"

Curves = dict[str, dict[int, dict[int, float]]]
"""Value of the metric by arm, seed and env steps."""
Runs = dict[int, dict[str, Any]]
"""Final figures by seed."""


@dataclass(frozen=True)
class Arm:
    """One curve of an experiment: an agent and its flags."""

    agent: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """Arms that are compared on one task over the same seeds."""

    title: str
    metric: str
    label: str
    arms: dict[str, Arm]
    seeds: tuple[int, ...] = (0, 1, 2)


EXPERIMENTS = {
    "cheetah": Experiment(
        "sac on dmc/cheetah-run (state)",
        "eval/return",
        "return of 48 deterministic episodes",
        {"sac": Arm("sac", ("--env", "dmc/cheetah-run", "--total-steps", "500000"))},
    ),
    "coverage": Experiment(
        "skill discovery on gym/HalfCheetah-v5, rewards that read the position",
        "eval/coverage_cells_1m",
        "x bins of 1 m in 48 deterministic episodes",
        {
            agent: Arm(agent, ("--total-steps", "500000", f"--rewards.{agent}.input", "position"))
            for agent in ("metra", "diayn")
        },
    ),
    "coverage_full_state": Experiment(
        "skill discovery on gym/HalfCheetah-v5, rewards that read the full state",
        "eval/coverage_cells_1m",
        "x bins of 1 m in 48 deterministic episodes",
        {agent: Arm(agent, ("--total-steps", "2000000")) for agent in ("metra", "diayn")},
    ),
    "precision": Experiment(
        "sac on dmc/cheetah-run at hidden 1024",
        "eval/return",
        "return of 48 deterministic episodes",
        {
            name: Arm(
                "sac",
                (
                    *("--env", "dmc/cheetah-run", "--total-steps", "20000"),
                    *("--learner.hidden-dim", "1024", "--eval-interval", "4000"),
                    *("--warmup-steps", "2000", "--no-eval-video"),
                    *("--update-ratio", "0.25", "--learner.precision", name),
                ),
            )
            for name in ("float32", "bfloat16")
        },
    ),
}


def run_dir(root: Path, experiment: str, arm: str, seed: int) -> Path:
    """Folder of one run."""
    return root / experiment / f"{arm}-{seed}"


def train(root: Path, name: str, arm_name: str, seed: int, threads: int) -> None:
    """Train and evaluate one run, or continue it."""
    arm = EXPERIMENTS[name].arms[arm_name]
    folder = run_dir(root, name, arm_name, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "agents.cli.main", "train"]
    if (folder / "checkpoints").is_dir():
        command += ["--resume", str(folder)]
    else:
        command += [arm.agent, *arm.flags, "--seed", str(seed), "--run-dir", str(folder)]
    command += ["--num-threads", str(threads), "--torch-threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with (folder.parent / f"{folder.name}.log").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=environment)


def run(name: str, root: Path, jobs: int, threads: int, seeds: Sequence[int]) -> None:
    """Train every arm with every seed, `jobs` at a time."""
    work = [(arm, seed) for seed in seeds for arm in EXPERIMENTS[name].arms]
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda pair: train(root, name, *pair, threads), work))


def read_curve(folder: Path, metric: str) -> tuple[list[int], list[float], float]:
    """Env steps and values of `metric`, and the seconds that training took."""
    steps, values, seconds, last = [], [], 0.0, 0
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if metric in row:
            steps.append(row["env_steps"])
            values.append(row[metric])
        if rate := row.get("time/env_steps_per_second"):
            seconds += (row["env_steps"] - last) / rate
            last = row["env_steps"]
    return steps, values, seconds


def collect(name: str, root: Path) -> None:
    """Write curves (CSV), final figures (JSON) and a plot (PNG) of an experiment.

    Runs that are not under `root` keep the figures they have there from an earlier collection.
    """
    experiment = EXPERIMENTS[name]
    table, report = RESULTS / f"learning_{name}.csv", RESULTS / f"learning_{name}.json"
    curves, runs = _read_csv(table), _read_runs(report)
    for arm in experiment.arms:
        for seed in experiment.seeds:
            folder = run_dir(root, name, arm, seed)
            if (folder / "metrics.jsonl").is_file():
                steps, values, seconds = read_curve(folder, experiment.metric)
                curves[arm][seed] = dict(zip(steps, values, strict=True))
                runs[arm][seed] = {
                    "seed": seed,
                    "env_steps": steps[-1],
                    "final": values[-1],
                    "training_seconds": round(seconds),
                    **_evaluation(folder),
                }
    RESULTS.mkdir(exist_ok=True)
    _write_csv(table, curves)
    content = {
        "experiment": experiment.title,
        "metric": experiment.metric,
        "machine": f"{_cpu()}, {os.cpu_count()} cores",
        "arms": {arm: _summary(runs[arm]) for arm in experiment.arms},
    }
    report.write_text(json.dumps(content, indent=2) + "\n")
    plot(experiment, curves).savefig(RESULTS / f"learning_{name}.png", dpi=120)
    print(json.dumps(content, indent=2))


def _summary(runs: Runs) -> dict[str, Any]:
    """The runs of an arm by seed, and the mean of their last values."""
    ordered = [runs[seed] for seed in sorted(runs)]
    finals = [run["final"] for run in ordered]
    return {"runs": ordered, "mean_final": float(np.mean(finals)) if finals else None}


def _read_csv(path: Path) -> Curves:
    curves: Curves = defaultdict(dict)
    if path.is_file():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                points = curves[row["arm"]].setdefault(int(row["seed"]), {})
                points[int(row["env_steps"])] = float(row["value"])
    return curves


def _read_runs(path: Path) -> dict[str, Runs]:
    runs: dict[str, Runs] = defaultdict(dict)
    if path.is_file():
        for arm, summary in json.loads(path.read_text())["arms"].items():
            runs[arm] = {run["seed"]: run for run in summary["runs"]}
    return runs


def _evaluation(folder: Path) -> dict[str, Any]:
    report = folder / "evaluation" / "report.json"
    if not report.is_file():
        return {}
    content = json.loads(report.read_text())
    coverage = content["coverage"]
    return {
        "coverage": coverage.get("cells"),
        "coverage_of_uniform_random_actions": coverage.get("uniform_random_actions_cells"),
        "goals": content["goal_reaching"].get("success_within_m"),
    }


def _write_csv(path: Path, curves: Curves) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "seed", "env_steps", "value"])
        for arm, seeds in curves.items():
            for seed, points in seeds.items():
                writer.writerows((arm, seed, step, value) for step, value in points.items())


def plot(experiment: Experiment, curves: Curves) -> Figure:
    """Every seed as a thin line, the mean of the seeds as a thick one."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for index, arm in enumerate(arm for arm in experiment.arms if curves[arm]):
        seeds = curves[arm]
        colour = f"C{index}"
        for points in seeds.values():
            axes.plot(list(points), list(points.values()), color=colour, alpha=0.35, linewidth=1)
        shared = sorted(set.intersection(*(set(points) for points in seeds.values())))
        mean = [np.mean([points[step] for points in seeds.values()]) for step in shared]
        axes.plot(shared, mean, color=colour, linewidth=2.2, label=f"{arm} ({len(seeds)} seeds)")
    axes.set(title=experiment.title, xlabel="env steps", ylabel=experiment.label)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    names = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.processor()


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["run", "collect"])
    parser.add_argument("experiment", choices=list(EXPERIMENTS))
    parser.add_argument("--root", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2), help="seeds to run")
    options = parser.parse_args()
    if options.action == "run":
        run(options.experiment, options.root, options.jobs, options.threads, options.seeds)
    collect(options.experiment, options.root)


if __name__ == "__main__":
    main()
