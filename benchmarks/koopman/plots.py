"""The table as a picture, with what the poles did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from benchmarks.koopman.tasks import wrapped

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = 8
"""Episodes drawn for each method."""


def draw(table: dict[str, Any], angles: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Bars of percentages with 95% intervals over seeds, and angles of the first seed."""
    figure, axes = plt.subplots(2, len(table), figsize=(4.2 * len(table), 7), squeeze=False)
    for column, (name, methods) in enumerate(table.items()):
        bars, traces = axes[0, column], axes[1, column]
        for index, kind in enumerate(("noiseless", "noisy")):
            means = [row[kind]["percent_to_goal"] for row in methods.values()]
            ends = np.array([row[kind]["interval_95"] for row in methods.values()])
            errors = np.nan_to_num(np.abs(ends - np.array(means)[:, None])).T
            places = np.arange(len(means)) + 0.4 * (index - 0.5)
            bars.barh(places, means, 0.38, xerr=errors, label=kind, capsize=2)
        bars.set(title=name, xlim=(0, 105), xlabel="steps in the goal region, %")
        bars.set_yticks(range(len(methods)), list(methods) if column == 0 else [])
        bars.invert_yaxis()
        for index, method in enumerate(methods):
            colour = f"C{index}"
            paths = np.degrees(wrapped(angles[name][method][:, :SHOWN]))
            # A line across the figure where the angle wraps would be no motion.
            paths = np.where(np.abs(np.diff(paths, axis=0, prepend=paths[:1])) > 180, np.nan, paths)
            lines = traces.plot(np.arange(len(paths)) / 50, paths, color=colour, lw=0.8, alpha=0.7)
            lines[0].set_label(method)
        traces.set(xlabel="time, s", ylabel="angle from upright, degrees", ylim=(-180, 180))
    axes[0, 0].legend(fontsize=8)
    axes[1, -1].legend(fontsize=7, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
