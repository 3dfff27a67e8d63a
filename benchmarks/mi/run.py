"""Making the estimates of a grid, on several processes, resuming what a file already holds."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numba
import torch
from tqdm import tqdm

import rl_info
from benchmarks.mi.grid import ALL_TASKS, AUTOMATIC, Cell, learns
from rl_info.estimators import ESTIMATORS, Estimate, build_estimator

Record = dict[str, Any]


def measure(cell: Cell) -> Record:
    """The record of one cell; an estimator that refuses leaves its message in `error`.

    Samples are float32 for estimators that learn, else float64, where neighbours have no ties.
    """
    task = ALL_TASKS[cell.task]
    generator = torch.Generator().manual_seed(cell.data_seed())
    trained = learns(cell.estimator)
    x, y = task.sample(cell.samples, generator, torch.float32 if trained else torch.float64)
    record: Record = {**asdict(cell), "truth": task.information, "dims": list(task.dims)}
    began, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            record |= _estimate(cell, x, y)
        except (ValueError, RuntimeError, ArithmeticError, MemoryError) as error:
            record["error"] = f"{type(error).__name__}: {error}"
    record["seconds"] = time.perf_counter() - began
    record["cpu_seconds"] = time.process_time() - cpu
    record["warnings"] = sorted({warning.category.__name__ for warning in caught})
    return record


def _estimate(cell: Cell, x: torch.Tensor, y: torch.Tensor) -> Record:
    if cell.estimator == AUTOMATIC:
        return _automatic(x, y, cell.seed)
    config = ESTIMATORS[cell.estimator].config()
    if cell.steps is not None and hasattr(config, "steps"):
        config = replace(config, steps=cell.steps)  # type: ignore[call-arg]
    estimator = build_estimator(cell.estimator, config, seed=cell.seed)
    return _fields(estimator.fit_estimate(x, y))


def _automatic(x: torch.Tensor, y: torch.Tensor, seed: int) -> Record:
    chosen = rl_info.mutual_information(x, y, seed=seed)
    return {**_fields(chosen), "chosen": chosen.estimator}


def _fields(estimate: Estimate) -> Record:
    low, high = estimate.interval(0.9)
    return {
        "value": estimate.value,
        "std_error": estimate.std_error,
        "bound": estimate.bound,
        "low": low,
        "high": high,
    }


def read(path: Path) -> dict[Cell, Record]:
    """Records by cell; a last line cut short by an interruption is left out.

    Raises ValueError for any other line that is not a record.
    """
    if not path.exists():
        return {}
    records = {}
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number} is not a record: {error}") from error
        records[Cell(**{f.name: record[f.name] for f in fields(Cell)})] = record
    return records


def missing(cells: Sequence[Cell], records: Mapping[Cell, Record], retry: bool) -> list[Cell]:
    """Cells without a record, and with `retry` those that failed as well."""

    def wanted(cell: Cell) -> bool:
        record = records.get(cell)
        return record is None or (retry and "error" in record)

    return [cell for cell in cells if wanted(cell)]


def run(cells: Sequence[Cell], path: Path, jobs: int, quiet: bool = False) -> None:
    """Measure cells on `jobs` processes and append each record as soon as it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _end_last_line(path)
    with (
        path.open("a") as file,
        tqdm(total=len(cells), unit="cell", disable=quiet, dynamic_ncols=True) as bar,
    ):
        for record in _measured(cells, jobs):
            file.write(json.dumps(record) + "\n")
            file.flush()
            if "error" in record:
                bar.write(f"{record['estimator']} on {record['task']}: {record['error']}")
            bar.set_postfix_str(f"{record['estimator']} {record['task']}")
            bar.update()


def _end_last_line(path: Path) -> None:
    """Drop a line that an interruption cut short, so that the next one does not join it."""
    if not path.exists():
        return
    whole = path.read_bytes()
    if whole and not whole.endswith(b"\n"):
        kept = whole[: whole.rfind(b"\n") + 1]
        with path.open("r+b") as file:
            file.truncate(len(kept))


def _measured(cells: Sequence[Cell], jobs: int) -> Iterator[Record]:
    if jobs == 1:
        before = torch.get_num_threads(), numba.get_num_threads()
        _one_thread()
        try:
            for cell in cells:
                yield measure(cell)
        finally:
            torch.set_num_threads(before[0])
            numba.set_num_threads(before[1])
        return
    # Spawned, since threads of numba and torch do not survive a fork.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_one_thread) as pool:
        pending: list[Future[Record]] = [pool.submit(measure, cell) for cell in cells]
        try:
            for future in as_completed(pending):
                yield future.result()
        finally:
            for future in pending:
                future.cancel()


def _one_thread() -> None:
    # Each cell has one core: sums over threads differ in their last bits, and threads that wait
    # for each other on a busy machine would count as work.
    torch.set_num_threads(1)
    numba.set_num_threads(1)
