"""Plots of the benchmark; None where there is nothing to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

from benchmarks.mi.grid import HARD_DIMS, INFORMATION, NORMAL_TASKS
from benchmarks.mi.published import NORMALS
from benchmarks.mi.summary import Row

MOST_SAMPLES = 10_000
HELD_OUT = 0.25
FARTHEST = 10.0
"""Bias in nats up to which a picture shows: what explodes would flatten all the rest."""
CONTRASTIVE, PARTITION, NEIGHBOURS = (
    ("infonce", "automatic", "wpc"),
    ("infonce", "donsker_varadhan", "mine", "nwj", "smile"),
    ("ksg", "weighted_kozachenko_leonenko", "kozachenko_leonenko", "cca", "gaussian_copula"),
)


def truths(rows: Sequence[Row], samples: int = MOST_SAMPLES) -> Figure | None:
    """Bias of every estimator on every published task."""
    # Rows are in order of samples: the last of an estimator and task is its largest.
    ordered = sorted(rows, key=lambda row: row["samples"])
    found = {(r["estimator"], r["task"]): r for r in ordered
             if r["samples"] <= samples and r["seeds"]}  # fmt: skip
    if not found:
        return None
    estimators = sorted({estimator for estimator, _ in found})
    tasks = list(dict.fromkeys(r["task"] for r in rows))
    bias = np.array([[found[e, t]["bias"] if (e, t) in found else math.nan for t in tasks]
                     for e in estimators])  # fmt: skip
    figure = Figure(figsize=(3 + 0.32 * len(tasks), 3 + 0.28 * len(estimators)))
    axes = figure.subplots()
    norm = SymLogNorm(0.05, vmin=-2, vmax=2)
    image = axes.imshow(bias, cmap=colormaps["RdBu_r"], norm=norm, aspect="auto")
    axes.set_xticks(range(len(tasks)), tasks, rotation=90, fontsize=7)
    axes.set_yticks(range(len(estimators)), estimators, fontsize=7)
    axes.set_title(
        f"mean estimate − truth, nats, n = {samples:,} or the most measured (white: refused)"
    )
    figure.colorbar(image, ax=axes, label="nats")
    figure.tight_layout()
    return figure


def normals(errors: Mapping[str, Any]) -> Figure | None:
    """Error by true information, beside published figures."""
    if not errors:
        return None
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots()
    # Best first, as the legend is read.
    order = sorted(errors, key=lambda name: _error_at_most(errors[name]["by_information"]))
    for index, estimator in enumerate(order):
        points = errors[estimator]["by_information"]
        style = "o-" if errors[estimator]["beats_published"] else ".:"
        axes.plot(list(points), [p["absolute_error"] for p in points.values()], style,
                  color=colormaps["tab20"](index % 20), lw=1.2, label=estimator)  # fmt: skip
    for name, dashes in zip(
        NORMALS, ("--", "-.", (0, (1, 1)), (0, (5, 1)), (0, (3, 1, 1, 1))), strict=False
    ):
        axes.plot(list(NORMALS[name]), list(NORMALS[name].values()), color="k", ls=dashes, lw=1,
                  alpha=0.7, label=f"published: {name}")  # fmt: skip
    # Readings that exploded leave the picture; the table has them.
    axes.set(yscale="log", ylim=(3e-3, 30), xlabel="true information, nats",
             ylabel="mean |estimate − truth|, nats",
             title="correlated normals, 1 to 3 dimensions, n = 10,000\n"
                   "(black: published; large dots: below every published figure)")  # fmt: skip
    axes.grid(alpha=0.3)
    figure.legend(fontsize=7, loc="outside right upper")
    return figure


def _error_at_most(points: Mapping[float, Any]) -> float:
    """The error at the most information there is."""
    return float(points[max(points)]["absolute_error"])


def failures(rows: Sequence[Row]) -> Figure | None:
    """What each family is known to fail at: ceilings, spread, dimensions."""
    hard = [r for r in rows if r["task"] in NORMAL_TASKS and r["x_dims"] == HARD_DIMS]
    hard = [r for r in hard if r["samples"] == MOST_SAMPLES and r["seeds"]]
    dense = [r for r in rows if r["task"].startswith("normal-dense-") and r["seeds"]]
    dense = [r for r in dense if r["samples"] == MOST_SAMPLES]
    if not hard and not dense:
        return None
    figure = Figure(figsize=(15, 4.5))
    ceiling, spread, dimensions = figure.subplots(1, 3)
    _lines(ceiling, hard, CONTRASTIVE, "truth", "mean")
    limit = math.log(HELD_OUT * MOST_SAMPLES)
    ceiling.axhline(limit, color="grey", ls=":", label=f"ln K, K = {HELD_OUT * MOST_SAMPLES:.0f}")
    ceiling.plot(INFORMATION, INFORMATION, "k--", lw=0.8, label="truth")
    ceiling.set(xlabel="true information, nats", ylabel="mean estimate, nats",
                title=f"contrast cannot exceed ln K ({HARD_DIMS} dimensions)")  # fmt: skip
    _lines(spread, hard, PARTITION, "truth", "spread")
    spread.set(xlabel="true information, nats", ylabel="deviation over seeds, nats",
               title="means of exponentials grow noisy")  # fmt: skip
    _lines(dimensions, dense, NEIGHBOURS, "x_dims", "bias")
    dimensions.axhline(0, color="k", ls="--", lw=0.8)
    dimensions.set(xscale="log", xlabel="dimensions of X and of Y", ylabel="bias, nats",
                   title="neighbours are far away in many dimensions")  # fmt: skip
    measured = sorted({int(row["x_dims"]) for row in dense})
    dimensions.set_xticks(measured, [str(dims) for dims in measured])
    dimensions.set_xticks([], minor=True)
    for axes in (ceiling, spread, dimensions):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7)
    figure.tight_layout()
    return figure


def samples(rows: Sequence[Row]) -> Figure | None:
    """Bias and spread by the number of samples, a row of panels for each task."""
    good = [r for r in rows if r["seeds"]]
    tasks = list(dict.fromkeys(r["task"] for r in good))
    if not tasks:
        return None
    names = tuple(sorted({r["estimator"] for r in good}))
    figure = Figure(figsize=(12, 3.2 * len(tasks)))
    for panels, task in zip(figure.subplots(len(tasks), 2, squeeze=False), tasks, strict=True):
        own = [r for r in good if r["task"] == task]
        for axes, column in zip(panels, ("bias", "spread"), strict=True):
            _lines(axes, own, names, "samples", column)
            axes.set(xscale="log", xlabel="samples", ylabel=f"{column}, nats", title=task)
        panels[0].axhline(0, color="k", ls="--", lw=0.8)
        panels[0].set_yscale("symlog", linthresh=0.05)
        low, high = panels[0].get_ylim()
        panels[0].set_ylim(max(low, -FARTHEST), min(high, FARTHEST))
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, ncols=6, loc="lower center")
    figure.tight_layout(rect=(0.0, 0.075, 1.0, 1.0))
    return figure


def _lines(axes: Axes, rows: Sequence[Row], names: Sequence[str], x: str, y: str) -> None:
    for index, name in enumerate(names):
        points = sorted((r[x], r[y]) for r in rows if r["estimator"] == name and r[y] is not None)
        if points:
            across, up = zip(*points, strict=True)
            colour, style = colormaps["tab20"](index % 20), (".-", ".--")[index // 20 % 2]
            axes.plot(across, up, style, lw=1, color=colour, label=name)
