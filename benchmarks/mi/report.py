"""Tables and plots of the benchmark, from records."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks.mi import plots
from benchmarks.mi.grid import PARTS, Cell
from benchmarks.mi.published import NORMALS, NORMALS_SOURCE, TRUTHS, TRUTHS_SOURCE
from benchmarks.mi.run import Record
from benchmarks.mi.summary import (
    errors_by_information,
    of_part,
    summarise,
    with_published,
    write_csv,
)


def collect(records: Mapping[Cell, Record], folder: Path) -> list[Path]:
    """Write a CSV for every part with records, one JSON, and the plots that have data."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = summarise(records)
    parts = {name: of_part(rows, part) for name, part in PARTS.items()}
    written = [
        write_csv(folder / f"mi_{name}.csv", with_published(part))
        for name, part in parts.items()
        if part
    ]
    errors = errors_by_information(rows)
    summary = {
        "units": "nats; cpu_seconds for each estimate",
        "machine": {"python": platform.python_version(), "torch": torch.__version__,
                    "numpy": np.__version__, "processor": platform.machine()},
        "records": len(records),
        "refused": sum("error" in record for record in records.values()),
        "normals": errors,
        "published": {
            "normals": {"source": NORMALS_SOURCE, "error": NORMALS},
            "truths": {"source": TRUTHS_SOURCE, "estimates": TRUTHS},
        },
    }  # fmt: skip
    target = folder / "mi.json"
    target.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    written.append(target)
    drawings = {
        "mi_truths.png": plots.truths(parts["truths"]),
        "mi_normals.png": plots.normals(errors),
        "mi_failures.png": plots.failures(rows),
        "mi_samples.png": plots.samples(parts["samples"]),
    }
    for name, figure in drawings.items():
        if figure is not None:
            figure.savefig(folder / name, dpi=110)
            written.append(folder / name)
    return written
