"""The inside of a worker process: a few worlds that wait for requests."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, MutableSequence, Sequence
from multiprocessing.connection import Connection
from typing import Any

from envs.backends.adapter_local import LocalWorlds
from envs.backends.adapter_world import Recipe, UnsuitableEnvError
from envs.errors import RenderingError, WorldError

UNASKED = 0
"""Serial number of news that no request asked for."""
IDLE = -1
"""In place of a world's index: no world is running."""
PARENT_CHECK_SECONDS = 1.0

REQUESTS: dict[str, Callable[..., Any]] = {
    "spec": lambda worlds: worlds.spec,
    "reset": LocalWorlds.reset,
    "step": LocalWorlds.step,
    "picture": LocalWorlds.picture,
    "state_dicts": LocalWorlds.state_dicts,
    "load_state_dicts": LocalWorlds.load_state_dicts,
}
"""Every request that a worker answers, by name."""
CLOSE = "close"
ANSWERS = (WorldError, RenderingError, NotImplementedError, UnsuitableEnvError)
"""Exceptions that are sent to the parent; any other is a fault of ours and ends the process."""


def work(
    connection: Connection,
    recipe: Recipe,
    seeds: Sequence[int | None],
    first: int,
    slot: int,
    running: MutableSequence[int],
    progress: MutableSequence[int],
) -> None:
    """Make worlds, then answer `(serial, name, arguments)` with `(serial, result or exception)`.

    Args:
        connection: To the parent process.
        recipe: Makes each world.
        seeds: One for each world.
        first: Index of the first world.
        slot: Of this worker in `running` and `progress`.
        running: Shared; holds the index of the world that is running, or IDLE.
        progress: Shared; counts the worlds that have begun to run.
    """
    # Ctrl-C reaches the whole group of processes; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()

    def announce(world: int) -> None:
        running[slot] = world
        progress[slot] += 1

    try:
        worlds = LocalWorlds(recipe, seeds, first, announce)
    except ANSWERS as error:
        _answer(connection, UNASKED, error)
        return
    try:
        while True:
            running[slot] = IDLE
            serial, name, arguments = connection.recv()
            if name == CLOSE:
                break
            try:
                result = REQUESTS[name](worlds, *arguments)
            except ANSWERS as error:
                result = error
            running[slot] = IDLE
            _answer(connection, serial, result)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The parent is gone, and nobody is left to tell.
        return
    finally:
        worlds.close()


def _answer(connection: Connection, serial: int, result: Any) -> None:
    """Send a result; the traceback of an exception stays here, its text was kept."""
    if isinstance(result, Exception):
        result = result.with_traceback(None)
        result.__cause__ = result.__context__ = None
    connection.send((serial, result))


def _leave_with_parent(parent: int) -> None:
    """End this process when its parent has died, even in the middle of a step."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
