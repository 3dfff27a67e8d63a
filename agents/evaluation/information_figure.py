"""The picture of I(S;Z) beside what it would be were skills ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.evaluation.figures import RunLabel, add_title, clean_axes, new_figure
from agents.evaluation.skill_colours import PLAIN

NULL_COLOUR = "#8d949b"
GAP = 0.13
"""Distance of a point from the middle of its line."""


def information_figure(information: Mapping[str, Any], label: RunLabel) -> Figure:
    """What `skill_information` found: a line for each S, in nats, with 95% intervals.

    The grey points are the mean and the middle 95% of the estimates with permuted skills, the
    dashed line the entropy of discrete skills, which I(S;Z) cannot exceed.
    """
    names = list(information["nats"])
    figure = new_figure((6.8, 1.5 + 0.5 * len(names)))
    add_title(figure, label, f"I(S;Z) of {information['episodes']} deterministic episodes")
    axes = figure.add_subplot()
    _draw(axes, information["nats"], -GAP, PLAIN, "policy")
    _draw(axes, information["nats_if_ignored"], GAP, NULL_COLOUR, "were skills ignored (permuted)")
    axes.axvline(0.0, color=NULL_COLOUR, linewidth=0.8, zorder=0)
    ceiling = information["ceiling_nats"]
    if ceiling is not None:
        axes.axvline(
            ceiling, color="black", linewidth=0.8, linestyle="--", label=f"ln K = {ceiling:.2f}"
        )
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set(xlabel="nats", ylim=(len(names) - 0.5, -0.5))
    clean_axes(axes)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _draw(
    axes: Axes, figures: Mapping[str, Mapping[str, Any]], offset: float, colour: str, label: str
) -> None:
    values = [figure["value"] for figure in figures.values()]
    ends = [(figure["low"], figure["high"]) for figure in figures.values()]
    # A value that is cut at the ceiling may lie on an end of its interval, by rounding beyond it.
    errors = [
        [max(value - low, 0.0) for value, (low, _) in zip(values, ends, strict=True)],
        [max(high - value, 0.0) for value, (_, high) in zip(values, ends, strict=True)],
    ]
    places = [place + offset for place in range(len(values))]
    axes.errorbar(
        values, places, xerr=errors, fmt="o", color=colour, markersize=5, capsize=3, label=label
    )
