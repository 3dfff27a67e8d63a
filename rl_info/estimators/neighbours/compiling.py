"""Compilation of loops, and the threads that share them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba

_CHUNKS_PER_THREAD = 8


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a loop that holds no lock of Python while it runs.

    Without fast mathematics: a distance must be the same number wherever it is computed, or a
    neighbour at exactly the k-th distance would be counted in one place and not in another.
    """
    # The shape checks of the tests wrap every function in one that cannot be compiled.
    return numba.njit(cache=True, nogil=True, error_model="numpy")(inspect.unwrap(function))


def share_out(
    work: Callable[[int, int], None], count: int, least: int, threads: int | None = None
) -> None:
    """Call `work(start, stop)` on parts of range(count), of at least `least`, from some threads.

    Threads of Python rather than numba's own: those of OpenMP abort a process that forks later, as
    worlds in worker processes do. `threads` defaults to NUMBA_NUM_THREADS, else one per core.
    Raises ValueError for `threads` below 1.
    """
    # numba sets the attribute when it is imported.
    workers = numba.config.NUMBA_NUM_THREADS if threads is None else threads  # type: ignore[attr-defined]
    if workers < 1:
        raise ValueError(f"threads must be at least 1, got {workers}")
    parts = min(count // least, workers * _CHUNKS_PER_THREAD)
    if workers == 1 or parts < 2:
        work(0, count)
        return
    edges = [count * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(min(workers, parts)) as pool:
        for _ in pool.map(work, edges[:-1], edges[1:]):
            pass
