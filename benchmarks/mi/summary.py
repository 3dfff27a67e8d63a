"""Many estimates made into tables: bias, spread, error and coverage by estimator and task."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mi.grid import INFORMATION, PUBLISHED_DIMS, Cell, Part
from benchmarks.mi.published import NORMALS, TRUTHS
from benchmarks.mi.run import Record
from rl_info.distributions import correlated_normal

Row = dict[str, Any]


def summarise(records: Mapping[Cell, Record]) -> list[Row]:
    """One row for each estimator, task and number of samples, over seeds; in nats and seconds."""
    groups: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for cell, record in sorted(records.items(), key=lambda item: item[0].seed):
        groups[cell.task, cell.estimator, cell.samples].append(record)
    return [_row(key, group) for key, group in sorted(groups.items())]


def _row(key: tuple[str, str, int], records: Sequence[Record]) -> Row:
    task, estimator, samples = key
    good = [r for r in records if "error" not in r]
    row: Row = {
        "task": task,
        "estimator": estimator,
        "samples": samples,
        "x_dims": records[0]["dims"][0],
        "y_dims": records[0]["dims"][1],
        "truth": records[0]["truth"],
        "seeds": len(good),
        "refused": len(records) - len(good),
    }
    if good:
        values = np.array([r["value"] for r in good])
        truth = records[0]["truth"]
        row |= {
            "mean": float(values.mean()),
            "bias": float(values.mean() - truth),
            "spread": float(values.std(ddof=1)) if len(values) > 1 else None,
            "absolute_error": float(np.abs(values - truth).mean()),
            "std_error": float(np.mean([r["std_error"] for r in good])),
            "coverage_90": float(np.mean([r["low"] <= truth <= r["high"] for r in good])),
            "bound": good[0]["bound"],
            "cpu_seconds": float(np.mean([r["cpu_seconds"] for r in good])),
        }
    row["warnings"] = " ".join(sorted({w for r in records for w in r["warnings"]}))
    row["chosen"] = " ".join(sorted({r["chosen"] for r in good if r.get("chosen")}))
    row["error"] = next((r["error"] for r in records if "error" in r), "")
    return row


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows under the union of their columns, in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({k: _rounded(v) for k, v in row.items()} for row in rows)
    return path


def _rounded(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value


def of_part(rows: Sequence[Row], part: Part) -> list[Row]:
    """Rows of the tasks of a part."""
    return [row for row in rows if row["task"] in part.tasks]


def with_published(rows: Sequence[Row]) -> list[Row]:
    """Rows with the published estimates of their task beside them."""
    return [
        row | {f"published {name}": value for name, value in TRUTHS.get(row["task"], {}).items()}
        for row in rows
    ]


def errors_by_information(rows: Sequence[Row], samples: int = 10_000) -> dict[str, Any]:
    """Errors on correlated normals, averaged over the published dimensions.

    For each estimator and true information: `absolute_error`, the mean over seeds and dimensions
    of |value − truth|; and `error_of_mean`, the mean over dimensions of |mean over seeds − truth|,
    which is what is published and is never larger. Only where all dimensions are there.
    """
    at = {(r["task"], r["estimator"]): r for r in rows if r["samples"] == samples and r["seeds"]}
    table: dict[str, Any] = {}
    for estimator in sorted({name for _, name in at}):
        points = {}
        for nats in INFORMATION:
            tasks = [correlated_normal(dims, nats).name for dims in PUBLISHED_DIMS]
            found = [at[task, estimator] for task in tasks if (task, estimator) in at]
            if len(found) == len(tasks):
                points[nats] = {
                    "absolute_error": float(np.mean([r["absolute_error"] for r in found])),
                    "error_of_mean": float(np.mean([abs(r["bias"]) for r in found])),
                }
        if points:
            table[estimator] = {"by_information": points, "beats_published": beats(points)}
    return table


def beats(points: Mapping[float, Mapping[str, float]]) -> bool:
    """Whether the absolute error is below the best published one at every point."""
    best = {nats: min(errors[nats] for errors in NORMALS.values()) for nats in INFORMATION}
    return set(points) == set(best) and all(
        points[nats]["absolute_error"] < best[nats] for nats in best
    )
