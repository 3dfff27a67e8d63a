"""Curves of an experiment as a picture."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.learning.experiments import Experiment
from benchmarks.learning.results import Curves, Points, Runs, mean_interval


def figure(experiment: Experiment, curves: Curves, runs: Runs) -> Figure:
    """A panel for each metric: seeds thin, their mean thick, its 95% interval shaded.

    Two seeds have no shade: Student's t makes their interval so wide that it hides the curves.
    """
    count = len(experiment.metrics)
    drawn = Figure(figsize=(5.2 * count + 1.6, 4.4), layout="constrained")
    panels = drawn.subplots(1, count, squeeze=False)[0]
    for axes, (metric, label) in zip(panels, experiment.metrics.items(), strict=True):
        for index, arm in enumerate(experiment.arms):
            if curves.get(arm):
                _draw(axes, curves[arm], metric, arm, f"C{index}")
        if (value := random_value(experiment, metric, runs)) is not None:
            axes.axhline(value, color="0.4", linestyle="--", label="uniform random actions")
        axes.set(xlabel="env steps", ylabel=label)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k")
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    drawn.suptitle(experiment.title)
    return drawn


def random_value(experiment: Experiment, metric: str, runs: Runs) -> float | None:
    """The mean over runs of what their evaluations measured of uniform random actions."""
    path = experiment.random.get(metric)
    if path is None:
        return None
    found = [
        value
        for seeds in runs.values()
        for run in seeds.values()
        if (value := _lookup(run.get("evaluation", {}), path)) is not None
    ]
    return float(mean_interval(found)["mean"] or 0.0) if found else None


def _lookup(content: Mapping[str, object], path: str) -> float | None:
    value: object = content
    for key in path.split("/"):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return float(value) if isinstance(value, int | float) else None


def _draw(axes: Axes, seeds: Mapping[int, Points], metric: str, arm: str, colour: str) -> None:
    series = [
        {step: values[metric] for step, values in points.items() if metric in values}
        for points in seeds.values()
    ]
    for points in series:
        axes.plot(list(points), list(points.values()), color=colour, alpha=0.35, linewidth=1)
    shared = sorted(set.intersection(*(set(points) for points in series)))
    found = [mean_interval([points[step] for points in series]) for step in shared]
    means = [each["mean"] for each in found]
    count = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    axes.plot(shared, means, color=colour, linewidth=2.2, label=f"{arm} ({count})")
    if len(series) > 2:
        low, high = ([float(each[end] or 0.0) for each in found] for end in ("low", "high"))
        axes.fill_between(shared, low, high, color=colour, alpha=0.12, linewidth=0)
