"""Failures of a run that are told in one line."""

from __future__ import annotations

from agents.errors import UsageError


class CorruptRunError(UsageError):
    """A file of a run folder is missing, damaged or foreign; the message names it."""


class NonFiniteStepError(ArithmeticError):
    """A world returned an observation or reward that is NaN or infinite; the message names it."""


class NonFiniteStateError(ArithmeticError):
    """A parameter or another part of the learner's state is NaN or infinite; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} in the learner's state is not finite")
        self.name = name
