"""Measure how fast KSG is, against the same estimate from scikit-learn's and scipy's trees.

    python benchmarks/knn_speed.py

All contenders compute the first estimator of Kraskov et al. in the max-norm: the distance of each
pair to its k-th neighbour, then how many samples of x and of y lie nearer. scikit-learn's is what
its `mutual_info_regression` does, written for vectors. They must agree on every count.
A repeat times all contenders in turn, so that a change of the machine's speed meets all of them
alike; a ratio is the median of the ratios of the repeats. Memory is measured apart (on Linux), in a
process that only runs our search. Peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from scipy.spatial import cKDTree

from rl_info.estimators.neighbours import joint_distances, range_counts

RESULTS = Path(__file__).parent / "results" / "knn_speed.json"
PACKAGES = ("scikit-learn", "scipy", "numpy", "numba")
TARGETS = {"scikit-learn": 3.0, "scikit-learn, all cores": 3.0, "scipy": 2.0}
MEMORY_OF = (10_000, 20_000, 40_000, 80_000)
Counts = tuple[np.ndarray, np.ndarray]
Search = Callable[[np.ndarray, np.ndarray, int], Counts]


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 7
    """Interleaved repeats; the median counts."""
    k: int = 3
    """Neighbours."""
    threads: int = 2
    """Threads of ours and of scipy."""
    memory_of: int = 0
    """Print the memory that our search of so many samples takes, in MiB, and stop; 0: measure."""
    output: Path = RESULTS
    """Where the figures go, as JSON."""


@dataclass(frozen=True)
class Workload:
    """Normal samples; coordinate i of x is correlated with coordinate i of y."""

    samples: int
    dims: int
    correlation: float

    @property
    def label(self) -> str:
        """Such as `N=10000 d=5 ρ=0.7`."""
        return f"N={self.samples} d={self.dims} ρ={self.correlation}"

    def draw(self) -> Counts:
        """Samples of x and y."""
        rng = np.random.default_rng(0)
        x, noise = rng.standard_normal((2, self.samples, self.dims))
        return x, self.correlation * x + np.sqrt(1 - self.correlation**2) * noise


WORKLOADS = (
    Workload(10_000, 5, 0.7),
    Workload(10_000, 5, 0.0),
    Workload(10_000, 1, 0.7),
    Workload(10_000, 2, 0.7),
)


def ours(threads: int) -> Search:
    """The compiled search of this repository."""

    def search(x: np.ndarray, y: np.ndarray, k: int) -> Counts:
        radii = joint_distances(x, y, k, "max", threads)[:, -1].copy()
        return range_counts(x, radii, "max", threads), range_counts(y, radii, "max", threads)

    return search


def scikit_learn(jobs: int | None) -> Search:
    """scikit-learn's `NearestNeighbors` and `KDTree`; the tree counts on one core only."""
    from sklearn.neighbors import KDTree, NearestNeighbors

    def search(x: np.ndarray, y: np.ndarray, k: int) -> Counts:
        joint = np.hstack([x, y])
        neighbours = NearestNeighbors(metric="chebyshev", n_neighbors=k, n_jobs=jobs).fit(joint)
        radii = np.nextafter(neighbours.kneighbors()[0][:, -1], 0)

        def count(points: np.ndarray) -> np.ndarray:
            tree = KDTree(points, metric="chebyshev")
            return tree.query_radius(points, radii, count_only=True, return_distance=False) - 1

        return count(x), count(y)

    return search


def scipy_tree(threads: int) -> Search:
    """scipy's `cKDTree`."""

    def search(x: np.ndarray, y: np.ndarray, k: int) -> Counts:
        joint = np.hstack([x, y])
        distances, _ = cKDTree(joint).query(joint, k + 1, p=np.inf, workers=threads)
        radii = np.nextafter(distances[:, -1], 0)

        def count(points: np.ndarray) -> np.ndarray:
            found = cKDTree(points).query_ball_point(
                points, radii, p=np.inf, workers=threads, return_length=True
            )
            return np.asarray(found) - 1

        return count(x), count(y)

    return search


def contenders(settings: Settings) -> Iterator[tuple[str, Search]]:
    """All that can run here, by name; ours first."""
    yield "rl-info", ours(settings.threads)
    yield "rl-info, 1 thread", ours(1)
    if importlib.util.find_spec("sklearn") is not None:
        yield "scikit-learn", scikit_learn(None)
        yield "scikit-learn, all cores", scikit_learn(-1)
    yield "scipy", scipy_tree(settings.threads)


def measure(load: Workload, settings: Settings) -> dict[str, list[float]]:
    """Wall seconds of every repeat of every contender; raises if their counts differ."""
    x, y = load.draw()
    entrants = dict(contenders(settings))
    expected = entrants["rl-info"](x, y, settings.k)
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    for _ in range(settings.repeats):
        for name, search in entrants.items():
            start = time.perf_counter()
            found = search(x, y, settings.k)
            seconds[name].append(time.perf_counter() - start)
            for ours, theirs in zip(expected, found, strict=True):
                np.testing.assert_array_equal(theirs, ours, err_msg=name)
    return seconds


def peak_memory(samples: int, settings: Settings) -> float:
    """MiB that a process grows by when it searches so many samples of 5 + 5 dimensions."""
    command = [sys.executable, __file__, "--memory-of", str(samples), "--k", str(settings.k)]
    command += ["--threads", str(settings.threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_memory(settings: Settings) -> None:
    """Search once with few samples, so that compiling does not count, then with many."""
    search = ours(settings.threads)
    search(*Workload(2_000, 5, 0.7).draw(), settings.k)
    x, y = Workload(settings.memory_of, 5, 0.7).draw()
    # Linux then takes the present size as the largest so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_peak()
    search(x, y, settings.k)
    print(resident_peak() - before)


def resident_peak() -> float:
    """Most memory that this process has held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def describe_machine() -> dict[str, Any]:
    """Processor, cores, load and versions."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average_at_start": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions,
    }


def main() -> None:
    """Measure, print a table and write it down."""
    settings = tyro.cli(Settings, description=__doc__)
    if settings.memory_of:
        print_memory(settings)
        return
    machine = describe_machine()
    idle = machine["load_average_at_start"] < 0.5
    report: dict[str, Any] = {
        "unit": "wall seconds of one estimate; ratios are medians over the repeats",
        "provisional": not idle,
        "settings": {name: each for name, each in asdict(settings).items() if name != "output"},
        "machine": machine,
        "targets": TARGETS,
        "seconds": {},
        "ratios": {},
        "peak_mib": {},
    }
    if not idle:
        print("other work runs on this machine: the figures are provisional")
    for load in WORKLOADS:
        seconds = measure(load, settings)
        base = seconds["rl-info"]
        ratios = {
            name: statistics.median(other / own for other, own in zip(times, base, strict=True))
            for name, times in seconds.items()
        }
        report["seconds"][load.label], report["ratios"][load.label] = seconds, ratios
        print(load.label)
        for name, times in seconds.items():
            print(f"  {name:<26}{statistics.median(times):>9.4f} s{ratios[name]:>8.2f}×")
    for samples in MEMORY_OF if Path("/proc/self/clear_refs").exists() else ():
        report["peak_mib"][samples] = peak_memory(samples, settings)
        print(f"memory of {samples:>6} samples: {report['peak_mib'][samples]:.1f} MiB")
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {settings.output}")


if __name__ == "__main__":
    main()
