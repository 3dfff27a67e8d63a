"""How well the shipped MIST predicts information, and how often its intervals hold.

    python benchmarks/mist.py                  # minutes on one core; JSON and PNG in results/

Four kinds of sets, none of which training or calibration saw: `in family` (drawn as in training),
`paper` (equal dimensions 2 to 32 and uniform numbers of rows, as the paper draws them), `unseen`
(the sixteen combinations of family and map that training leaves out) and `out of family`
(distributions of other kinds, beside two classical estimators). Errors are in nats.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rl_info.distributions import TASKS, Task
from rl_info.distributions.mixture import clustered_normals, crossed_normals
from rl_info.estimators import Estimate, build_estimator
from rl_info.estimators.mist.estimator import MIST, MISTConfig
from rl_info.estimators.mist.families import UNSEEN
from rl_info.estimators.mist.levels import LEVELS
from rl_info.estimators.mist.meta_data import MetaConfig, draw_set, draw_size
from rl_info.estimators.mist.predict import predict_quantiles
from rl_info.estimators.mist.weights import SHIPPED, description_path, load_weights

RESULTS = Path(__file__).parent / "results"
SEED = 20_26
ROWS = ((10, 100), (101, 300), (301, 500))
COLUMNS = ((2, 8), (9, 24), (25, 64))
KINDS: Mapping[str, MetaConfig] = {
    "in family": MetaConfig(),
    "paper": MetaConfig(dims=(2, 32), same_dims=1.0, logarithmic=0.0),
    "unseen": MetaConfig(families=UNSEEN),
}
PAPER = {
    "in family": {"10-100": 3.1, "101-300": 0.34, "301-500": 0.28},
    "quantile": {"10-100": 3.1, "101-300": 0.31, "301-500": 0.12},
    "out of family": {"10-100": 8.0, "101-300": 7.3, "301-500": 8.8},
}
"""Mean squared errors that the paper reports by number of rows."""
OUT_OF_FAMILY: Mapping[str, Task] = {
    **{
        name: TASKS[name]
        for name in (
            "bimodal-1x1",
            "swiss-roll-2x1",
            "spiral-2pair-3x3",
            "spiral-2pair-5x5",
            "uniform-0.1-1x1",
        )
    },
    "crossed-normals": Task("crossed-normals", crossed_normals()),
    "clustered-normals": Task("clustered-normals", clustered_normals()),
}
CLASSICAL = ("gaussian_copula", "ksg")


@dataclass(frozen=True)
class Prediction:
    """What came out for one set."""

    rows: int
    columns: int
    family: str
    truth: float
    value: float
    quantiles: tuple[float, ...]

    @property
    def held(self) -> bool:
        """Whether the 90% interval holds the truth."""
        return self.quantiles[0] <= self.truth <= self.quantiles[-1]


def predict_kind(config: MetaConfig, sets: int, per_group: int = 8) -> list[Prediction]:
    """Predictions for sets drawn from `config`, `per_group` at a time with equally many rows."""
    trained = load_weights(SHIPPED)
    found: list[Prediction] = []
    for group in range(-(-sets // per_group)):
        random = np.random.default_rng([SEED, group])
        samples = draw_size(config.samples, config.logarithmic, random)
        drawn = [draw_set(config, samples, random) for _ in range(per_group)]
        quantiles = predict_quantiles(
            trained.model, [(each.x, each.y) for each in drawn], trained.asked_levels
        )
        for each, row in zip(drawn, quantiles.double(), strict=True):
            found.append(
                Prediction(
                    samples,
                    each.x.shape[1] + each.y.shape[1],
                    each.family,
                    each.information,
                    float(row.mean()),
                    tuple(row.tolist()),
                )
            )
    return found


def figures(predictions: Iterable[Prediction]) -> dict[str, float]:
    """Errors in nats and coverage of the 90% interval."""
    chosen = list(predictions)
    error = np.array([each.value - each.truth for each in chosen])
    width = np.array([each.quantiles[-1] - each.quantiles[0] for each in chosen])
    return {
        "sets": len(chosen),
        "mean_truth": round(float(np.mean([each.truth for each in chosen])), 4),
        "mean_squared_error": round(float(np.mean(error**2)), 4),
        "mean_absolute_error": round(float(np.mean(np.abs(error))), 4),
        "bias": round(float(np.mean(error)), 4),
        "coverage_90": round(float(np.mean([each.held for each in chosen])), 4),
        "median_width_90": round(float(np.median(width)), 4),
    }


def split(
    predictions: list[Prediction],
    bins: tuple[tuple[int, int], ...],
    of: Callable[[Prediction], int],
) -> dict[str, list[Prediction]]:
    """Predictions by the bin that `of` falls into."""
    return {
        f"{low}-{high}": [each for each in predictions if low <= of(each) <= high]
        for low, high in bins
    }


def summarise_kind(predictions: list[Prediction]) -> dict[str, Any]:
    """Figures over all, by rows, by columns, by both, and by family."""
    by_rows = split(predictions, ROWS, lambda each: each.rows)
    by_columns = split(predictions, COLUMNS, lambda each: each.columns)
    families = sorted({each.family for each in predictions})
    levels = np.array([[each.truth <= at for at in each.quantiles] for each in predictions])
    return {
        "all": figures(predictions),
        "reached": dict(zip(map(str, LEVELS), levels.mean(axis=0).round(4).tolist(), strict=True)),
        "by_rows": {name: figures(each) for name, each in by_rows.items()},
        "by_columns": {name: figures(each) for name, each in by_columns.items()},
        "by_rows_and_columns": {
            name: {
                columns: figures(chosen)
                for columns, chosen in split(each, COLUMNS, lambda one: one.columns).items()
            }
            for name, each in by_rows.items()
        },
        "by_family": {
            family: figures(each for each in predictions if each.family == family)
            for family in families
        },
    }


def summarise_task(task: Task, rows: int, repeats: int) -> dict[str, Any]:
    """Error and coverage on one task, of MIST and of classical estimators on the same draws."""
    found: dict[str, list[Estimate]] = {}
    for seed in range(repeats):
        generator = torch.Generator().manual_seed(SEED + seed)
        x, y = task.sample(rows, generator, torch.float64)
        for name in ("mist", *CLASSICAL):
            estimator = build_estimator(name, seed=seed)
            found.setdefault(name, []).append(estimator.estimate(x, y))
    truth = task.information
    result: dict[str, Any] = {"truth": round(truth, 4)}
    for name, estimates in found.items():
        values = np.array([each.value for each in estimates])
        result[name] = {
            "mean": round(float(values.mean()), 4),
            "mean_absolute_error": round(float(np.abs(values - truth).mean()), 4),
            "mean_squared_error": round(float(((values - truth) ** 2).mean()), 4),
        }
    intervals = [each.interval(0.9) for each in found["mist"]]
    held = [low <= truth <= high for low, high in intervals]
    result["mist"]["coverage_90"] = round(float(np.mean(held)), 4)
    return result


def speed() -> dict[str, float]:
    """Milliseconds per estimate on one thread."""
    estimator = MIST(MISTConfig())
    found = {}
    for rows, dims in ((100, 2), (500, 16)):
        generator = torch.Generator().manual_seed(0)
        x, y = torch.randn(2, rows, dims, generator=generator)
        estimator.estimate(x, y)
        start = time.process_time()
        for _ in range(20):
            estimator.estimate(x, y)
        found[f"{rows} rows, {dims}x{dims}"] = round(50 * (time.process_time() - start), 2)
    return found


def draw_figure(result: dict[str, Any], predictions: list[Prediction]) -> Figure:
    """Predictions, calibration, coverage by size, and errors out of family."""
    figure = Figure(figsize=(12, 9), layout="constrained")
    axes = figure.subplots(2, 2)
    _draw_predictions(axes[0, 0], predictions)
    _draw_calibration(axes[0, 1], result)
    _draw_coverage(axes[1, 0], result["kinds"]["in family"])
    _draw_out_of_family(axes[1, 1], result["out_of_family"]["500"])
    return figure


def _draw_predictions(axes: Axes, predictions: list[Prediction]) -> None:
    for name, chosen in split(predictions, ROWS, lambda each: each.rows).items():
        truth, value = [each.truth for each in chosen], [each.value for each in chosen]
        axes.scatter(truth, value, s=7, alpha=0.45, label=f"{name} rows")
    axes.plot([0.01, 50], [0.01, 50], color="black", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlim=(0.01, 50), ylim=(0.01, 50))
    axes.set(xlabel="truth [nats]", ylabel="prediction [nats]", title="Held-out sets in family")
    axes.legend()


def _draw_calibration(axes: Axes, result: dict[str, Any]) -> None:
    for kind, summary in result["kinds"].items():
        axes.plot(LEVELS, list(summary["reached"].values()), marker="o", markersize=3, label=kind)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    axes.set(
        xlabel="level of the quantile",
        ylabel="share of truths below it",
        title="Calibration",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.legend()


def _draw_coverage(axes: Axes, summary: dict[str, Any]) -> None:
    table = summary["by_rows_and_columns"]
    for offset, columns in enumerate(next(iter(table.values()))):
        at = np.arange(len(table)) + 0.25 * (offset - 1)
        heights = [cells[columns]["coverage_90"] for cells in table.values()]
        axes.bar(at, heights, width=0.23, label=f"{columns} columns")
    axes.axhspan(0.85, 0.95, color="black", alpha=0.12)
    axes.set(ylim=(0.5, 1.0), ylabel="share of truths inside", title="90% interval in family")
    axes.set_xticks(range(len(table)), [f"{rows} rows" for rows in table])
    axes.legend(loc="lower right")


def _draw_out_of_family(axes: Axes, tasks: dict[str, Any]) -> None:
    at = np.arange(len(tasks))
    for offset, name in enumerate(("mist", *CLASSICAL)):
        means = [task[name]["mean"] for task in tasks.values()]
        axes.bar(at + 0.25 * (offset - 1), means, width=0.23, label=name)
    truths = [task["truth"] for task in tasks.values()]
    axes.scatter(at, truths, color="black", marker="_", s=700, label="truth", zorder=3)
    axes.set_xticks(at, list(tasks), rotation=25, ha="right")
    axes.set(ylabel="mean estimate [nats]", title="Out of family, 500 rows")
    axes.legend()


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000, help="sets of each kind")
    parser.add_argument("--repeats", type=int, default=15, help="draws per task and rows")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    kinds, in_family = {}, []
    for kind, config in KINDS.items():
        predictions = predict_kind(config, arguments.sets)
        kinds[kind] = summarise_kind(predictions)
        in_family = in_family or predictions
        print(kind, json.dumps(kinds[kind]["all"]))
    out = {
        str(rows): {
            name: summarise_task(task, rows, arguments.repeats)
            for name, task in OUT_OF_FAMILY.items()
        }
        for rows in (50, 200, 500)
    }
    result = {
        "weights": json.loads(description_path(SHIPPED).read_text()),
        "machine": {"processor": platform.processor(), "torch": torch.__version__},
        "settings": {kind: asdict(config) for kind, config in KINDS.items()},
        "kinds": kinds,
        "out_of_family": out,
        "milliseconds_per_estimate": speed(),
        "mean_squared_error_in_the_paper": PAPER,
    }
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "mist.json").write_text(json.dumps(result, indent=1) + "\n")
    draw_figure(result, in_family[:1500]).savefig(arguments.folder / "mist.png", dpi=110)


if __name__ == "__main__":
    main()
