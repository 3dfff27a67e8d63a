"""What is measured: parts of the benchmark, their tasks, sample sizes and seeds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

from rl_info.distributions import TASKS, Task, correlated_normal
from rl_info.estimators import ESTIMATORS

AUTOMATIC = "automatic"
"""Name in tables of `rl_info.mutual_information`, which chooses by itself."""
QUADRATIC = ("cauchy_schwarz", "adaptive_kde")
"""Estimators without training whose time grows as the square: minutes for 10,000 samples."""
INFORMATION = (2.0, 4.0, 6.0, 8.0, 10.0)
PUBLISHED_DIMS, HARD_DIMS = (1, 2, 3), 20
NORMAL_TASKS: Mapping[str, Task] = {
    task.name: task
    for dims in (*PUBLISHED_DIMS, HARD_DIMS)
    for task in (correlated_normal(dims, nats) for nats in INFORMATION)
}
ALL_TASKS: Mapping[str, Task] = {**TASKS, **NORMAL_TASKS}


@dataclass(frozen=True)
class Effort:
    """How often something is tried."""

    samples: tuple[int, ...]
    """Numbers of samples given, held-out ones included."""
    seeds: tuple[int, ...]
    """Seeds of samples and estimator alike."""


@dataclass(frozen=True)
class Part:
    """One question that the benchmark answers."""

    title: str
    tasks: tuple[str, ...]
    direct: Effort
    """For estimators that need no training."""
    learned: Effort
    """For estimators that are trained for every cell, and cost minutes."""
    quadratic: Effort
    """For those in `QUADRATIC`."""


PARTS: Mapping[str, Part] = {
    "truths": Part(
        "published tasks: value beside truth and public reference",
        tuple(TASKS),
        Effort((5_000, 10_000), (0, 1, 2)),
        Effort((10_000,), (0,)),
        Effort((2_000,), (0,)),
    ),
    "normals": Part(
        "correlated normals: error by true information",
        tuple(NORMAL_TASKS),
        Effort((10_000,), tuple(range(10))),
        Effort((10_000,), (0, 1, 2)),
        Effort((2_000,), (0, 1, 2)),
    ),
    "samples": Part(
        "bias and spread by the number of samples",
        ("normal-1x1", "uniform-0.1-1x1", "asinh-student-1-1x1", "normal-dense-5x5",
         "normal-4-nats-3x3"),
        Effort((100, 300, 1_000, 3_000, 10_000), tuple(range(10))),
        Effort((300, 1_000, 3_000), (0, 1, 2)),
        Effort((100, 300, 1_000), (0, 1, 2)),
    ),
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Cell:
    """One estimate to be made."""

    task: str
    estimator: str
    samples: int
    seed: int
    steps: int | None = None
    """Most optimiser steps of an estimator that learns, in trials; None: its own."""

    def data_seed(self) -> int:
        """Seed of the samples: the same for every estimator."""
        return zlib.crc32(f"{self.task}/{self.samples}/{self.seed}".encode())


@dataclass(frozen=True)
class Choice:
    """Restrictions of the grid; empty means no restriction."""

    estimators: tuple[str, ...] = ()
    """Names or patterns such as `ksg*` of estimators; `automatic` is what chooses by itself."""
    tasks: tuple[str, ...] = ()
    """Names or patterns of tasks."""
    seeds: tuple[int, ...] = ()
    """Seeds in place of each part's own."""
    samples: tuple[int, ...] = ()
    """Numbers of samples in place of each part's own."""
    steps: int | None = None
    """Most optimiser steps, for trials."""


def names() -> list[str]:
    """Everything that can be asked for an estimate."""
    return [*ESTIMATORS, AUTOMATIC]


def learns(name: str) -> bool:
    """Whether an estimator is trained for every cell; what chooses by itself counts as not."""
    return name != AUTOMATIC and bool(getattr(ESTIMATORS[name].estimator, "learns", False))


def effort(part: Part, estimator: str) -> Effort:
    """What a part spends on an estimator."""
    if estimator in QUADRATIC:
        return part.quadratic
    return part.learned if learns(estimator) else part.direct


def cells(parts: Iterable[str], choice: Choice) -> list[Cell]:
    """The grid without repeats, cheap cells first.

    Raises ValueError for a part, estimator or task that matches nothing.
    """
    _check("part", parts, PARTS)
    _check("estimator", choice.estimators, names())
    _check("task", choice.tasks, ALL_TASKS)
    found = dict.fromkeys(cell for part in parts for cell in _cells(part, choice))
    return sorted(found, key=lambda cell: (learns(cell.estimator), cell.seed, cell.samples))


def _cells(part: str, choice: Choice) -> Iterator[Cell]:
    for estimator in _matching(names(), choice.estimators):
        spent = effort(PARTS[part], estimator)
        for task in _matching(PARTS[part].tasks, choice.tasks):
            for samples in choice.samples or spent.samples:
                for seed in choice.seeds or spent.seeds:
                    yield Cell(task, estimator, samples, seed, choice.steps)


def _matching(available: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    return [n for n in available if not patterns or any(fnmatch(n, p) for p in patterns)]


def _check(kind: str, patterns: Iterable[str], available: Iterable[str]) -> None:
    known = list(available)
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in known):
            raise ValueError(f"no {kind} matches {pattern!r}; there are: {', '.join(known)}")
