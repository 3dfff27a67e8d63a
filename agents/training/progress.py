"""The progress bar of a run."""

from __future__ import annotations

import os
import sys
import time

from tqdm import tqdm


class ProgressBar:
    """Env steps done, time left, env steps and updates per second, on standard error.

    A terminal sees it move; elsewhere, as in a log file, it prints a line every half minute.
    """

    def __init__(self, total_steps: int, step: int, updates: int, heading: str) -> None:
        """Print the line `heading`, and start the bar below it."""
        tqdm.write(heading, file=sys.stderr)
        interactive = sys.stderr.isatty()
        self._bar = tqdm(
            total=total_steps,
            initial=step,
            unit=" env-steps",
            unit_scale=True,
            mininterval=0.5 if interactive else 30.0,
            miniters=1,
            # A terminal that does not say its width, as in some containers, would get nothing.
            dynamic_ncols=interactive and os.get_terminal_size(sys.stderr.fileno()).columns > 0,
        )
        self._start_updates = self._updates = updates
        self._start = self._shown = time.monotonic()

    def update(self, step: int, updates: int) -> None:
        """Show that `step` env steps and `updates` updates are done."""
        now = time.monotonic()
        if now - self._shown >= self._bar.mininterval:
            self._show_rate(updates, now)
        self._updates = updates
        # The last step of N worlds may go past the total.
        self._bar.update(min(step, self._bar.total) - self._bar.n)

    def message(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the last state on the screen."""
        self._show_rate(self._updates, time.monotonic())
        self._bar.close()

    def _show_rate(self, updates: int, now: float) -> None:
        rate = (updates - self._start_updates) / max(now - self._start, 1e-9)
        self._bar.set_postfix_str(f"{rate:,.0f} updates/s", refresh=False)
        self._shown = now
