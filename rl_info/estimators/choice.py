"""A choice of an estimator: how it is read, and when its value is likely low."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from rl_info.estimators.base import Estimate, Progress
from rl_info.estimators.inputs import EstimatorWarning, LikelyLowWarning, Samples
from rl_info.estimators.registry import build_estimator

CLEAR = 3.0
"""Standard errors by which one reading must exceed another to count as higher."""
LARGEST_DRIFT = 0.02
"""Share of a reading of neighbours that it may lose when their number doubles."""


@dataclass(frozen=True)
class Choice:
    """An estimator, and why it."""

    estimator: str
    """Name among `ESTIMATORS`."""
    reason: str
    """One sentence about the samples."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the estimator's own defaults."""
    swapped: bool = False
    """Whether x and y change places: information is symmetric, its estimators need not be."""
    rival: Choice | None = None
    """Another that also tends to read low: where it reads clearly higher, it is taken instead."""
    likely_low: str = ""
    """Why the value is likely low, if it is known beforehand."""


def read_choice(
    choice: Choice,
    x: Samples,
    y: Samples,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[Choice, Estimate]:
    """The estimate in nats of samples (N, X) and (N, Y), and the choice that it came from.

    A rival takes the place of the first where it reads more than 3 standard errors higher.
    Warns that the value is likely low (LikelyLowWarning) where the choice says so, and where
    neighbours lose more than 2% and 3 standard errors when their number is doubled: then the
    density is not constant within their reach, as KSG assumes.
    """
    found = _read(choice, x, y, seed, device, progress)
    if choice.rival is not None:
        choice, found = _higher(choice, found, x, y, seed, device)
    doubt = choice.likely_low
    if choice.estimator == "ksg" and not doubt:
        doubt = _drift(choice, found, x, y)
    if doubt:
        warnings.warn(
            f"{found.value:.3g} nats are likely too low: {doubt}", LikelyLowWarning, stacklevel=3
        )
    return choice, found


def _read(
    choice: Choice,
    x: Samples,
    y: Samples,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Estimate:
    built = build_estimator(choice.estimator, seed=seed, device=device, **choice.settings)
    built.progress = progress
    return built.fit_estimate(*((y, x) if choice.swapped else (x, y)))


def _higher(
    first: Choice, found: Estimate, x: Samples, y: Samples, seed: int, device: str
) -> tuple[Choice, Estimate]:
    rival = first.rival
    assert rival is not None
    other = _read_quietly(rival, x, y, seed, device)
    error = math.hypot(found.std_error, other.std_error)
    wins = other.value > found.value + CLEAR * error
    taken, value, beaten, left = (
        (rival, other, first, found) if wins else (first, found, rival, other)
    )
    reason = (
        f"{taken.reason}; {beaten.estimator}, which reads low here too, has {left.value:.3g} nats"
    )
    return replace(taken, reason=reason), value


def _drift(choice: Choice, found: Estimate, x: Samples, y: Samples) -> str:
    neighbours = int(choice.settings.get("k", 3))
    if len(torch.as_tensor(x)) <= 2 * neighbours:
        return ""
    wider = replace(choice, settings={**choice.settings, "k": 2 * neighbours})
    value = _read_quietly(wider, x, y).value
    lost = found.value - value
    if lost <= max(CLEAR * found.std_error, LARGEST_DRIFT * found.value):
        return ""
    return (
        f"{2 * neighbours} neighbours read {value:.3g}, {neighbours} read {found.value:.3g}, and "
        "fewer or nearer ones would read more; give more samples"
    )


def _read_quietly(
    choice: Choice, x: Samples, y: Samples, seed: int = 0, device: str = "cpu"
) -> Estimate:
    """Read again the same samples, of which the first reading warned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimatorWarning)
        return _read(choice, x, y, seed, device)
