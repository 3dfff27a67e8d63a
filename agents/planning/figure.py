"""A picture of planning: success and distance of each method, and planned beside real paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from agents.evaluation.figures import RunLabel, add_title, clean_axes, new_figure
from agents.evaluation.skill_colours import PLAIN
from agents.planning.choosers import Plans
from agents.planning.outcomes import Outcomes

SHOWN = 4
"""Episodes whose paths are drawn."""
COLOURS = ("#3b6fb6", "#d1495b", "#2e8b57", "#e0a100")
OTHER = "#9aa5b1"
Section = Mapping[str, Any]


def planning_figure(
    methods: Mapping[str, Section],
    found: Outcomes,
    plans: Plans,
    skill_steps: int,
    label: RunLabel,
    subtitle: str,
) -> Figure:
    """Three axes: success and final distance with 95% intervals, and paths of a few episodes.

    `methods` are summaries by name, planning first; `found` and `plans` are those of planning.
    Paths are seen from above, or against time where the place has one coordinate. The plan of the
    first decision is drawn whole.
    """
    figure = new_figure((12.6, 4.4))
    add_title(figure, label, subtitle)
    success, distance, paths = figure.subplots(1, 3, width_ratios=[1, 1, 1.35])
    _draw_bars(success, methods, "success", 100.0)
    success.set(ylabel="success at some step (% of episodes)", ylim=(0, 100))
    _draw_bars(distance, methods, "final_distance_m", 1.0)
    distance.set(ylabel="distance from the goal at the end (m)")
    distance.set_ylim(bottom=0)
    _draw_paths(paths, found, plans, skill_steps)
    return figure


def _draw_bars(axes: Axes, methods: Mapping[str, Section], key: str, scale: float) -> None:
    for index, section in enumerate(methods.values()):
        figure = section[key]
        if figure is None:
            continue
        value = scale * figure["value"]
        axes.bar(index, value, color=PLAIN if index == 0 else OTHER, width=0.65)
        if figure["low"] is not None:
            ends = [[value - scale * figure["low"]], [scale * figure["high"] - value]]
            axes.errorbar(index, value, yerr=ends, color="black", capsize=3, linewidth=1)
    names = [name.replace("_", "\n") for name in methods]
    axes.set_xticks(range(len(names)), names)
    clean_axes(axes)
    axes.grid(visible=False, axis="x")


def _draw_paths(axes: Axes, found: Outcomes, plans: Plans, skill_steps: int) -> None:
    # Spread over the episodes from best to worst, so that failures are seen as well.
    order = np.argsort(found.distance[:, -1], kind="stable")
    shown = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]
    first = plans.foreseen[0].numpy()
    times = skill_steps * np.arange(first.shape[1] + 1)
    steps = np.arange(found.places.shape[1])
    line = found.places.shape[-1] == 1
    for episode, colour in zip(shown, COLOURS, strict=False):
        path = found.places[episode]
        plan = np.concatenate([path[:1], first[episode]])
        goal = found.goal[episode]
        axes.plot(*_curve(path, steps), color=colour, linewidth=1.4)
        axes.plot(*_curve(plan, times), color=colour, linewidth=1, linestyle="--", marker="o", ms=3)
        if line:
            axes.axhline(goal[0], color=colour, linewidth=0.8, linestyle=":")
            continue
        axes.plot(*path[0, :2], marker="+", color=colour, ms=9, mew=1.6)
        axes.plot(*goal[:2], marker="*", color=colour, ms=13, mec="white", mew=0.6)
    axes.set(**_names(line))
    if not line:
        axes.set_aspect("equal", adjustable="datalim")
    clean_axes(axes)
    _add_key(axes, line)


def _curve(path: Float[np.ndarray, "T P"], times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (times, path[:, 0]) if path.shape[1] == 1 else (path[:, 0], path[:, 1])


def _names(line: bool) -> dict[str, str]:
    if line:
        return {"xlabel": "time (env steps)", "ylabel": "x (m)"}
    return {"xlabel": "x (m)", "ylabel": "y (m)"}


def _add_key(axes: Axes, line: bool) -> None:
    grey = "#555555"
    entries = [
        Line2D([], [], linewidth=1.4, label="real path", color=grey),
        Line2D(
            [], [], linewidth=1, linestyle="--", marker="o", ms=3, label="first plan", color=grey
        ),
    ]
    if line:
        entries.append(Line2D([], [], linewidth=0.8, linestyle=":", label="goal", color=grey))
    else:
        entries.append(Line2D([], [], linestyle="", marker="+", ms=9, label="start", color=grey))
        entries.append(Line2D([], [], linestyle="", marker="*", ms=11, label="goal", color=grey))
    axes.legend(handles=entries, frameon=False, fontsize=8, loc="upper left",
                bbox_to_anchor=(0.0, -0.14), ncols=4, columnspacing=1.0)  # fmt: skip
