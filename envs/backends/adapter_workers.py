"""Worlds in worker processes, which say which world raised, died or hung."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from envs.backends.adapter_local import Outcome
from envs.backends.adapter_worker_process import CLOSE, IDLE, UNASKED, work
from envs.backends.adapter_world import Recipe, WorldSpec, closed_error
from envs.errors import WorldError

POLL_SECONDS = 0.5
START_SECONDS = 120.0
"""What a process may take at least to start Python and import everything."""
CLOSING_SECONDS = 2.0

Answer = tuple[int, Any]


@dataclass
class _Worker:
    """A process and the consecutive worlds it runs."""

    process: SpawnProcess
    connection: Connection
    worlds: range

    def __str__(self) -> str:
        return f"worker process {self.process.pid} (worlds {list(self.worlds)})"


class WorkerWorlds:
    """N worlds in W processes; the same results as `LocalWorlds`, whatever W.

    Processes are spawned: a script that uses them needs `if __name__ == "__main__":`. They end
    with `close`, with this object, and with the parent process, however it ends.

    Args:
        recipe: Makes each world.
        seeds: One for each world.
        num_workers: W; each runs N/W consecutive worlds, rounded.
        step_timeout: Seconds that one world may take for being made, reset or stepped.

    Raises:
        WorldError: if a world raises, hangs, or takes its process down; from any method. All
            processes are ended then.
    """

    def __init__(
        self, recipe: Recipe, seeds: Sequence[int | None], num_workers: int, step_timeout: float
    ) -> None:
        recipe.check_transport()
        self._timeout = step_timeout
        self._serial = 0
        self._failure = ""
        context = multiprocessing.get_context("spawn")
        groups = _split(len(seeds), num_workers)
        self._running = context.RawArray("q", [IDLE] * len(groups))
        self._progress = context.RawArray("q", len(groups))
        self._workers: list[_Worker] = []
        self._finalizer = weakref.finalize(self, _kill, self._workers)
        for slot, worlds in enumerate(groups):
            mine, theirs = context.Pipe()
            arguments = (theirs, recipe, [seeds[world] for world in worlds], worlds.start, slot)
            process = context.Process(
                target=work, args=(*arguments, self._running, self._progress), daemon=True
            )
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, mine, worlds))
        self.spec: WorldSpec = self._ask_all("spec", [()] * len(groups))[0]

    def reset(
        self, mask: Bool[np.ndarray, "N"], seeds: Sequence[int | None]
    ) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N S"]]:
        """Begin episodes in the worlds of `mask`; the other rows of the result mean nothing."""
        parts = self._ask_all(
            "reset",
            [
                (mask[w.worlds.start : w.worlds.stop], list(seeds[w.worlds.start : w.worlds.stop]))
                for w in self._workers
            ],
        )
        observations, signals = zip(*parts, strict=True)
        return np.concatenate(observations), np.concatenate(signals)

    def step(self, actions: Float[np.ndarray, "N A"]) -> Outcome:
        """Step every world once, and begin a new episode where one ended."""
        return Outcome.concatenate(
            self._ask_all(
                "step", [(actions[w.worlds.start : w.worlds.stop],) for w in self._workers]
            )
        )

    def picture(self, index: int, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
        """Draw world `index`."""
        slot = next(slot for slot, w in enumerate(self._workers) if index in w.worlds)
        arguments = (index - self._workers[slot].worlds.start, height, width)
        return self._ask("picture", {slot: arguments})[slot]

    def state_dicts(self) -> list[dict[str, Any]]:
        """The state of every world."""
        parts = self._ask_all("state_dicts", [()] * len(self._workers))
        return [state for part in parts for state in part]

    def load_state_dicts(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Bring every world back to its state."""
        self._ask_all(
            "load_state_dicts",
            [(list(states[w.worlds.start : w.worlds.stop]),) for w in self._workers],
        )

    def _ask_all(self, name: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        answers = self._ask(name, dict(enumerate(arguments)))
        return [answers[slot] for slot in range(len(self._workers))]

    def _ask(self, name: str, arguments: Mapping[int, tuple[Any, ...]]) -> dict[int, Any]:
        """Send a request to some workers and wait for all their answers."""
        if self._failure or not self._workers:
            raise closed_error(self._failure or "close() was called")
        self._serial += 1
        for slot, values in arguments.items():
            try:
                self._workers[slot].connection.send((self._serial, name, values))
            except (BrokenPipeError, ConnectionResetError):
                # It died since; collecting finds its exit status or its last words.
                continue
        answers = dict(self._collect(set(arguments)))
        # All answers are in before any refusal is raised, so that none is left over.
        for answer in answers.values():
            if isinstance(answer, Exception):
                raise answer
        return answers

    def _collect(self, pending: set[int]) -> Iterator[Answer]:
        """Answers to the last request as they come, by slot."""
        seen = {slot: (self._progress[slot], time.monotonic()) for slot in pending}
        while pending:
            slots: dict[Any, int] = {self._workers[slot].connection: slot for slot in pending}
            slots.update({self._workers[slot].process.sentinel: slot for slot in pending})
            ready = wait(list(slots), timeout=min(POLL_SECONDS, self._timeout / 4))
            for slot in {slots[source] for source in ready}:
                serial, answer = self._receive(slot)
                if isinstance(answer, WorldError):
                    raise self._end(answer)
                # An interrupted request leaves answers behind; they are of no use any more.
                if serial == self._serial:
                    pending.discard(slot)
                    yield slot, answer
                elif serial == UNASKED:
                    raise self._end(answer)
            for slot in pending:
                seen[slot] = self._watch(slot, *seen[slot])

    def _watch(self, slot: int, count: int, since: float) -> tuple[int, float]:
        """Give up on a worker that has been in the same world for too long."""
        now, progress = time.monotonic(), self._progress[slot]
        if progress != count:
            return progress, now
        if now - since > (self._timeout if progress else max(self._timeout, START_SECONDS)):
            worker, world = self._workers[slot], self._running[slot]
            who = f"world {world}" if world != IDLE else str(worker)
            reason = f"{who} hangs: no answer for {self._timeout:g} s; it ran in {worker}"
            raise self._end(WorldError([world] if world != IDLE else worker.worlds, reason))
        return count, since

    def _receive(self, slot: int) -> Answer:
        worker = self._workers[slot]
        try:
            # Without anything to read, it is the process that has ended.
            if worker.connection.poll():
                answer: Answer = worker.connection.recv()
                return answer
        except (EOFError, ConnectionResetError) as error:
            raise self._end(self._describe_death(slot)) from error
        raise self._end(self._describe_death(slot))

    def _describe_death(self, slot: int) -> WorldError:
        worker, world = self._workers[slot], self._running[slot]
        worker.process.join(CLOSING_SECONDS)
        code = worker.process.exitcode
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else ""
        how = how or f"ended with exit status {code}"
        if self._progress[slot] == 0:
            hint = (
                "before it made a world; its own error is printed above. A script that uses "
                'workers must guard its main part by `if __name__ == "__main__":`'
            )
            return WorldError(worker.worlds, f"{worker} {how} {hint}")
        if world == IDLE:
            return WorldError(worker.worlds, f"{worker} {how} between two steps")
        return WorldError([world], f"world {world} died: {worker} {how} while it ran that world")

    def _end(self, error: WorldError) -> WorldError:
        """End all processes because of `error`."""
        self._failure = str(error).partition("\n")[0]
        self._finalizer()
        return error

    def close(self) -> None:
        """End all processes: by request, and by force where that does not help."""
        for worker in self._workers:
            try:
                worker.connection.send((0, CLOSE, ()))
            except (BrokenPipeError, OSError):
                continue
        deadline = time.monotonic() + CLOSING_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
        self._finalizer()
        self._workers.clear()


def _kill(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.process.join()
        worker.connection.close()


def _split(num_worlds: int, num_workers: int) -> list[range]:
    """Consecutive groups of worlds of nearly equal size, none empty."""
    count = min(num_worlds, num_workers)
    bounds = [num_worlds * slot // count for slot in range(count + 1)]
    return [range(*pair) for pair in itertools.pairwise(bounds)]
