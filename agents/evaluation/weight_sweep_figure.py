"""The picture of what commanded weights trade off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from agents.evaluation.figures import RunLabel, add_title, clean_axes, new_figure
from agents.evaluation.skill_colours import PLAIN
from agents.evaluation.sweep_measures import Measure, look_up, measures_of

HELD_COLOUR = "#8d949b"


def weight_sweep_figure(report: Mapping[str, Any], label: RunLabel) -> Figure:
    """What `sweep_weights` found: a column for each reward, a row for each measure.

    Points have 95% intervals; the dashed line is the weight that is held in the other columns.
    """
    sweeps = report["sweeps"]
    rows = [row for sweep in sweeps.values() for row in sweep]
    measures = measures_of(rows)
    figure = new_figure((1.4 + 2.3 * len(sweeps), 1.5 + 1.5 * len(measures)))
    add_title(figure, label, _subtitle(report, rows, measures))
    grid = figure.subplots(len(measures), len(sweeps), sharex="col", sharey="row", squeeze=False)
    for line, each in zip(grid, measures, strict=True):
        for axes, (name, sweep) in zip(line, sweeps.items(), strict=True):
            _draw(axes, sweep, each)
            held = axes.axvline(
                report["held"][name], color=HELD_COLOUR, linewidth=0.9, linestyle="--", zorder=0
            )
        line[0].set_ylabel(each.label, fontsize=9)
        line[0].set_ylim(bottom=_floor(rows, each))
    for axes, (name, sweep) in zip(grid[-1], sweeps.items(), strict=True):
        _mark_weights(axes, name, [row["weight"] for row in sweep])
    figure.align_ylabels(grid[:, 0])
    figure.legend(
        [held],
        ["weight while others are commanded"],
        loc="outside lower center",
        frameon=False,
        fontsize=8,
    )
    return figure


def _subtitle(
    report: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], measures: Sequence[Measure]
) -> str:
    episodes, settings = rows[0]["episodes"], report["settings"]
    rounds, cell = settings["rounds"], settings["cell_size_m"]
    first = f"one weight commanded at a time, {episodes} deterministic episodes each, 95% intervals"
    if not any("cells" in each.label for each in measures):
        return first
    counts = f"cells: of {cell:g} m, in {episodes // rounds} episodes, mean of {rounds} such counts"
    return f"{first}\n{counts}"


def _draw(axes: Axes, sweep: Sequence[Mapping[str, Any]], each: Measure) -> None:
    weights = [row["weight"] for row in sweep]
    figures = [look_up(row, each) or {} for row in sweep]
    values = [figure["value"] for figure in figures]
    low = [max(figure["value"] - figure["low"], 0.0) for figure in figures]
    high = [max(figure["high"] - figure["value"], 0.0) for figure in figures]
    axes.set_xscale("log")
    axes.errorbar(
        weights, values, yerr=[low, high], fmt="o-", color=PLAIN, markersize=4, capsize=3,
        linewidth=1.2, clip_on=False,
    )  # fmt: skip
    axes.margins(x=0.08)
    clean_axes(axes)


def _mark_weights(axes: Axes, name: str, weights: Sequence[float]) -> None:
    axes.xaxis.set_major_locator(FixedLocator(list(weights)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda weight, _: f"{weight:.3g}"))
    axes.set_xlabel(f"weight of {name}")


def _floor(rows: Sequence[Mapping[str, Any]], each: Measure) -> float | None:
    """0 where nothing is below it, so that heights can be compared; else as it fits."""
    lows = [(look_up(row, each) or {})["low"] for row in rows]
    return 0.0 if min(lows) >= 0 else None
