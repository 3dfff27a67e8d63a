"""Trains the runs of an experiment in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.learning.experiments import EXPERIMENTS


def run_dir(root: Path, experiment: str, arm: str, seed: int) -> Path:
    """Folder of one run."""
    return root / experiment / f"{arm.replace(' ', '-')}-{seed}"


def train(root: Path, name: str, arm_name: str, seed: int, threads: int) -> None:
    """Train and evaluate one run, or continue it; what has been evaluated is left alone."""
    arm = EXPERIMENTS[name].arms[arm_name]
    folder = run_dir(root, name, arm_name, seed)
    if (folder / "evaluation" / "report.json").is_file():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "agents.cli.main", "train"]
    if (folder / "checkpoints").is_dir():
        command += ["--resume", str(folder)]
    else:
        flags = [flag.format(root=root, seed=seed) for flag in arm.flags]
        command += [arm.agent, *flags, "--seed", str(seed), "--run-dir", str(folder)]
    command += ["--num-threads", str(threads), "--torch-threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with (folder.parent / f"{folder.name}.log").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=environment)


def run(
    name: str, root: Path, arms: Sequence[str], seeds: Sequence[int], jobs: int, threads: int
) -> None:
    """Train every arm with every seed, `jobs` at a time."""
    work = [(arm, seed) for seed in seeds for arm in arms]
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda pair: train(root, name, *pair, threads), work))
