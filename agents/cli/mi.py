"""`rl-info mi`: mutual information of samples in a file."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tqdm import tqdm

from agents.cli.sample_files import read_samples
from agents.errors import UsageError

if TYPE_CHECKING:
    from rl_info.estimators.base import Progress
    from rl_info.estimators.choose import ChosenEstimate

LEVEL = 0.9
WIDTH = 88
BOUND_TEXTS = {
    "lower": "lower bound of the truth, in expectation",
    "upper": "upper bound of the truth, in expectation",
    "none": "no bound: it may lie on either side of the truth",
}


@dataclass(frozen=True)
class Arguments:
    """Estimate the mutual information I(X;Y) of paired samples, in nats."""

    data: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILE [FILE]")]
    """An .npz file or a .csv file with a header; or two .npy, .npz or .csv files, x and y."""
    x: Annotated[str | None, tyro.conf.arg(metavar="NAME[,NAME]")] = None
    """Array or columns of x; default: `x`, or all of the first of two files."""
    y: Annotated[str | None, tyro.conf.arg(metavar="NAME[,NAME]")] = None
    """Array or columns of y; default: `y`, or all of the second of two files."""
    estimator: Annotated[str, tyro.conf.arg(metavar="NAME")] = "auto"
    """Estimator (`rl-info list estimators`), or `auto`: one that suits the samples."""
    seed: int = 0
    """Same seed, same samples: same estimate."""
    json: bool = False
    """Print a JSON object instead."""


def run(arguments: list[str]) -> int:
    """Estimate as the command line asks and print what came out."""
    options = tyro.cli(Arguments, args=arguments, prog="rl-info mi", description=__doc__)
    x, y = read_samples(options.data, options.x, options.y)
    from rl_info import mutual_information

    with progress_bar() as progress, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = mutual_information(
                x, y, options.estimator, seed=options.seed, progress=progress
            )
        except (ValueError, FloatingPointError) as error:
            raise UsageError(str(error)) from error
    notes = list(dict.fromkeys(str(warning.message) for warning in caught))
    shapes = {"x": x.shape, "y": y.shape}
    report = _as_json(found, shapes, notes) if options.json else _as_text(found, shapes, notes)
    print(report)
    return 0


def _as_text(found: ChosenEstimate, shapes: dict[str, tuple[int, ...]], notes: list[str]) -> str:
    low, high = found.interval(LEVEL)
    rows = {
        "I(X;Y)": f"{_rounded(found.value)} nats",
        f"{LEVEL:.0%} interval": f"[{_rounded(low)}, {_rounded(high)}] nats, {_meaning(found)}",
        "bound": BOUND_TEXTS[found.bound],
        "estimator": f"{found.estimator}: {found.reason}",
        "samples": f"{shapes['x'][0]:,}, x with {_columns(shapes['x'])}, y with "
        f"{_columns(shapes['y'])}",
    }
    width = max(map(len, rows))
    lines = [_wrapped(f"{name:<{width}}  ", text) for name, text in rows.items()]
    lines += [_wrapped(f"{'warning':<{width}}  ", note) for note in notes]
    return "\n".join(lines)


def _as_json(found: ChosenEstimate, shapes: dict[str, tuple[int, ...]], notes: list[str]) -> str:
    low, high = found.interval(LEVEL)
    return json.dumps(
        {
            "value": found.value,
            "std_error": found.std_error,
            "bound": found.bound,
            "estimator": found.estimator,
            "reason": found.reason,
            "quantiles": {str(level): value for level, value in found.quantiles.items()},
            "unit": "nats",
            "interval": {"level": LEVEL, "low": low, "high": high},
            "shapes": shapes,
            "warnings": notes,
        },
        indent=2,
    )


def _rounded(nats: float) -> str:
    # A zero of rounding keeps no sign.
    return f"{round(nats, 4) + 0.0:.4f}"


def _meaning(found: ChosenEstimate) -> str:
    if found.quantiles:
        return "predicted to hold the truth"
    return "from the spread of the samples alone"


def _columns(shape: tuple[int, ...]) -> str:
    return "1 column" if shape[1] == 1 else f"{shape[1]} columns"


def _wrapped(start: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """What an estimator tells of its training, as a bar with the time left; only in a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    bars: list[tqdm] = []

    def show(step: int, steps: int) -> None:
        if not bars:
            # A terminal that does not say its size, as in some containers, would get nothing.
            wide = os.get_terminal_size(sys.stderr.fileno()).columns > 0
            bars.append(
                tqdm(
                    total=steps,
                    desc="learning",
                    unit=" steps",
                    leave=False,
                    dynamic_ncols=wide,
                    ncols=None if wide else WIDTH,
                    nrows=None if wide else 24,
                )
            )
        bars[0].update(step - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
