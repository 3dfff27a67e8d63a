"""When the loop updates, logs, evaluates and saves, counted in env steps."""

from __future__ import annotations

from fractions import Fraction


class UpdateClock:
    """How many updates are due for the env steps done, without losing a fraction of one.

    One update is due for every 1/`ratio` env steps after the first `warmup_steps`. The ratio is
    taken as the decimal number that it prints as: 0.1 is exactly one update in ten steps.
    """

    def __init__(self, ratio: float, warmup_steps: int) -> None:
        self._ratio = Fraction(str(ratio))
        self._warmup_steps = warmup_steps
        self.updates = 0
        """Updates done."""

    def due(self, env_steps: int) -> int:
        """Updates that are due after `env_steps` and not done yet."""
        return max(int(self._ratio * max(env_steps - self._warmup_steps, 0)) - self.updates, 0)


def crossed(interval: int, before: int, after: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after]; never for an interval of 0."""
    return interval > 0 and after // interval > before // interval
