"""A sweep over commanded weights as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.evaluation.summary import interval
from agents.evaluation.sweep_measures import look_up, measures_of


def summarise_sweep(report: Mapping[str, Any]) -> list[str]:
    """A table with a line for each command, with 95% intervals in brackets."""
    sweeps = report["sweeps"]
    rows = [(name, row) for name, sweep in sweeps.items() for row in sweep]
    measures = measures_of([row for _, row in rows])
    head = ["commanded weight", *(each.label.replace("\n", " ") for each in measures)]
    table = [head]
    for name, row in rows:
        held = " (held)" if row["weight"] == report["held"][name] else ""
        cells = [interval(look_up(row, each) or {}, each.form) for each in measures]
        table.append([f"{name} {row['weight']:.3g}{held}", *cells])
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    first = (
        f"{report['agent']} on {report['env']} after {report['env_steps']:,} env steps, "
        f"{rows[0][1]['episodes']} deterministic episodes under each command"
    )
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return [first, *lines]
