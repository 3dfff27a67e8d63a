"""Trains, controls, and writes the table: `python -m benchmarks.koopman [--sight pixels]`.

Protocol, after PCC (arXiv 1909.01506): sequences of 8 observations under uniform random actions
start from states drawn uniformly; dynamics are learned from them alone. LQR in the latents drives
each episode to the observation of the upright pole at rest. To-goal is the share of an episode's
steps in the goal region: |angle| < 30 degrees of the pendulum, < 18 degrees and on the rail of the
cart-pole. The noisy variant adds normal noise to every velocity before each step of control.
Intervals are over seeds: data, networks and episodes of their own. The simulators are not those
of the paper, whose numbers stand beside ours as quoted.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
from tqdm import tqdm

from benchmarks.koopman.data import goal_observation, record, to_goal
from benchmarks.koopman.methods import (
    BATCH,
    FULL,
    LEARNED,
    REGULATOR,
    Control,
    chance,
    least_squares,
    regulated,
    train,
)
from benchmarks.koopman.plots import draw
from benchmarks.koopman.tasks import TASKS, ControlTask

RESULTS = Path(__file__).parent.parent / "results"
STEPS, EPISODES = 8, 32
PUBLISHED = {
    "source": "arXiv 2510.13025, noiseless / noisy, its own simulators and pictures; not run here",
    "information koopman": {"pendulum": [91.5, 62.7], "cart-pole": [97.6, 61.9]},
    "PCC": {"pendulum": [90.1, 59.8], "cart-pole": [94.1, 53.1]},
}


def controls(options: argparse.Namespace, task: ControlTask, seed: int) -> dict[str, Control]:
    """Every method by name, trained on one recording of the task's world."""
    recording = record(task, options.sight, options.sequences, STEPS, seed)
    goal = goal_observation(task, options.sight)
    found: dict[str, Control] = {"random actions": chance(seed)}
    found["least squares"] = least_squares(recording, goal)
    for name, config in LEARNED.items():
        model, metrics = train(recording, config, options.updates, seed)
        tqdm.write(f"{task.env} {name}: " + ", ".join(f"{k} {v:.3g}" for k, v in metrics.items()))
        found[name] = regulated(model, recording, goal)
    return found


def interval(values: list[float]) -> list[float]:
    """95% interval of the mean over seeds, by Student's t."""
    if len(values) < 2:
        return [float("nan")] * 2
    error = scipy.stats.sem(values) * scipy.stats.t.ppf(0.975, len(values) - 1)
    return [float(np.mean(values) - error), float(np.mean(values) + error)]


def main() -> None:
    """Run and write `results/koopman_SIGHT.json` and `.png`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sight", choices=("state", "pixels"), default="state")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=1500)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, dict[str, Any]] = {}
    angles: dict[str, dict[str, np.ndarray]] = {}
    worlds = sorted({task.env for task in TASKS.values()})
    for seed, env in tqdm([(seed, env) for seed in range(options.seeds) for env in worlds]):
        tasks = {name: task for name, task in TASKS.items() if task.env == env}
        found = controls(options, next(iter(tasks.values())), seed)
        for name, task in tasks.items():
            for method, control in found.items():
                for noisy in (False, True):
                    share, traces = to_goal(
                        task, options.sight, control,
                        noisy=noisy, episodes=EPISODES, seed=1000 + seed,
                    )  # fmt: skip
                    row = rows.setdefault(name, {}).setdefault(method, {})
                    row.setdefault("noisy" if noisy else "noiseless", []).append(
                        100 * float(share.mean())
                    )
                    if seed == 0 and not noisy:
                        angles.setdefault(name, {})[method] = traces
        write(options, rows, angles)


def write(
    options: argparse.Namespace,
    rows: dict[str, dict[str, Any]],
    angles: dict[str, dict[str, np.ndarray]],
) -> None:
    """Everything measured so far."""
    table = {
        name: {
            method: {
                column: {
                    "percent_to_goal": float(np.mean(values)),
                    "interval_95": interval(values),
                    "seeds": values,
                }
                for column, values in row.items()
            }
            for method, row in methods.items()
        }
        for name, methods in rows.items()
    }
    protocol = {
        "text": " ".join((__doc__ or "").split()),
        "observations": options.sight,
        "sequences": options.sequences, "observations_each": STEPS, "updates": options.updates,
        "batch": BATCH, "episodes": EPISODES, "settings": vars(FULL), "regulator": vars(REGULATOR),
        "tasks": {
            name: {
                "env": task.env, "action_repeat": task.repeat, "horizon": task.horizon,
                "data_from": task.data, "episodes_from": task.start, "noise": task.noise,
            }
            for name, task in TASKS.items()
        },
    }  # fmt: skip
    text = json.dumps({"protocol": protocol, "table": table, "published": PUBLISHED}, indent=1)
    path = RESULTS / f"koopman_{options.sight}"
    path.with_suffix(".json").write_text(text + "\n")
    draw(table, angles, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
