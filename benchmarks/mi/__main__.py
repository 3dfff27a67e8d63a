"""Estimators of mutual information against known truths.

    python -m benchmarks.mi --jobs 2                    # everything; may be interrupted and resumed
    python -m benchmarks.mi truths --estimators 'ksg*' --tasks 'normal-*' --seeds 0 1
    python -m benchmarks.mi --collect                   # CSV, JSON and PNG from what there is

What a file of records already holds is not measured again.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks.mi.grid import PARTS, Choice, cells, learns
from benchmarks.mi.report import collect
from benchmarks.mi.run import missing, read, run

RESULTS = Path(__file__).parent.parent / "results"


@dataclass(frozen=True)
class Settings:
    """Estimators of mutual information against known truths."""

    parts: tyro.conf.Positional[tuple[str, ...]] = tuple(PARTS)
    """Any of truths, normals and samples."""
    estimators: tuple[str, ...] = ()
    """Names or patterns of estimators; all by default. `automatic` chooses by itself."""
    tasks: tuple[str, ...] = ()
    """Names or patterns of tasks; all of each part by default."""
    seeds: tuple[int, ...] = ()
    """Seeds in place of each part's own."""
    samples: tuple[int, ...] = ()
    """Numbers of samples in place of each part's own."""
    jobs: int = 1
    """Processes."""
    steps: int | None = None
    """Most optimiser steps of estimators that learn, for trials; their own by default."""
    retry: bool = False
    """Measure again what failed."""
    collect: bool = False
    """Measure nothing; write tables and plots from the records there are."""
    dry_run: bool = False
    """Only say how many cells are missing."""
    records: Path = Path("runs/mi/records.jsonl")
    """Where records are kept, one line for each estimate."""
    output: Path = RESULTS
    """Folder of tables and plots."""
    quiet: bool = False
    """No progress bar."""

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"jobs must be at least 1, got {self.jobs}")


def main() -> None:
    """Measure what is missing, then write tables and plots."""
    settings = tyro.cli(Settings, description=__doc__)
    choice = Choice(
        settings.estimators, settings.tasks, settings.seeds, settings.samples, settings.steps
    )
    grid = cells(settings.parts, choice)
    done = read(settings.records)
    todo = missing(grid, done, settings.retry)
    trained = sum(learns(cell.estimator) for cell in todo)
    print(f"{len(grid)} cells, {len(todo)} to measure, {trained} of them with training")
    if settings.dry_run:
        return
    if not settings.collect:
        run(todo, settings.records, settings.jobs, settings.quiet)
    records = read(settings.records)
    kept = {cell: record for cell, record in records.items() if cell.steps == settings.steps}
    for path in collect(kept, settings.output):
        print(path)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python's own last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
