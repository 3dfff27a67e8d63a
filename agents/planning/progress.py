"""A progress bar for each phase of a command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

LOG_INTERVAL = 30.0
"""Seconds between lines where no terminal shows a moving bar."""


@contextmanager
def progress(
    title: str, total: int, unit: str, thousands: bool = True
) -> Iterator[Callable[[int], None]]:
    """A bar with the time left, on standard error; call what it gives with what has been done.

    Numbers are shown as 1.50k with `thousands`, else in full.
    """
    interactive = sys.stderr.isatty()
    with tqdm(
        desc=title,
        total=total,
        unit=f" {unit}",
        unit_scale=thousands,
        file=sys.stderr,
        mininterval=0.5 if interactive else LOG_INTERVAL,
        miniters=1,
    ) as bar:
        yield bar.update
