"""Errors that a user can mend: shown as one line, without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(Exception):
    """A request that cannot be carried out as written; the message names the fix."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint for an unknown `name`: the nearest of the `known` names, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"
