"""What every estimator of mutual information is and returns."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from rl_info.estimators.inputs import (
    ConstantColumnWarning,
    DiscreteDataWarning,
    Samples,
    TiedSamplesWarning,
    check_pair,
)

# typing.Self is refused by the run-time type checks of the tests.
Fitted = TypeVar("Fitted", bound="Estimator")

Progress = Callable[[int, int], None]
"""Told how many steps of how many are done, as by a progress bar."""

Bound = Literal["lower", "upper", "none"]
"""On which side of the truth the expectation of an estimate lies, where theory says so."""


@dataclass(frozen=True)
class Estimate:
    """An estimate of mutual information, in nats."""

    value: float
    """The estimate; may be negative, as unbiased estimates of small information are."""
    std_error: float
    """Standard error of `value` over draws of the samples, with what was learned held fixed."""
    bound: Bound = "none"
    """Which side of the truth `value` lies on in expectation."""
    quantiles: Mapping[float, float] = field(default_factory=dict)
    """Quantiles of the truth by level, from estimators that predict them."""

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Interval that is meant to hold the truth with probability `level`, in nats.

        Read from `quantiles` (interpolated) where there are any, else `value` ± normal errors,
        which cover the spread of the samples but not the bias of the estimator. Raises ValueError
        for a level outside (0, 1) or one that the quantiles do not reach.
        """
        if not 0 < level < 1:
            raise ValueError(f"the level of an interval lies between 0 and 1, got {level}")
        low, high = (1 - level) / 2, (1 + level) / 2
        if not self.quantiles:
            half = NormalDist().inv_cdf(high) * self.std_error
            return self.value - half, self.value + half
        levels = sorted(self.quantiles)
        if low < levels[0] - 1e-9 or high > levels[-1] + 1e-9:
            raise ValueError(
                f"quantiles from {levels[0]} to {levels[-1]} give no interval of level {level}"
            )
        values = [self.quantiles[at] for at in levels]
        bottom, top = np.interp([low, high], levels, values)
        return float(bottom), float(top)


@dataclass(frozen=True)
class EstimatorConfig:
    """Settings of an estimator; each has its own."""


class Estimator(ABC):
    """An estimator of I(X;Y) from paired samples.

    Those that learn must be fitted first, on other samples than the ones they are then asked
    about; `fit_estimate` does both on one set. Same seed, same samples: same bits on the CPU.
    """

    bound: ClassVar[Bound] = "none"
    """The `bound` of what `estimate` returns."""
    learns: ClassVar[bool] = False
    """Whether `fit` must be called before `estimate`."""

    def __init__(
        self, config: Any = None, *, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        self.config = config
        self.seed = seed
        self.device = torch.device(device)
        self.progress: Progress | None = None
        """Called with (steps taken, most steps) while the estimator learns."""

    def fit(self: Fitted, x: Samples, y: Samples) -> Fitted:
        """Learn from samples (N, X) and (N, Y), float32 or float64; returns the estimator.

        Raises ValueError for samples that cannot be used, naming what is wrong.
        """
        self.check(x, y)
        return self

    @abstractmethod
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64.

        Raises ValueError for samples that cannot be used, naming what is wrong, and RuntimeError
        if the estimator learns and was not fitted.
        """

    def fit_estimate(self, x: Samples, y: Samples, held_out: float = 0.25) -> Estimate:
        """Fit and estimate from one set of samples (N, X) and (N, Y).

        An estimator that learns is fitted on a random share and asked about the `held_out` rest;
        any other is asked about all samples.
        """
        left, right = self.check(x, y)
        if not self.learns:
            return self.estimate(left, right)
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(left.shape[0], generator=generator).to(left.device)
        asked = max(2, round(held_out * left.shape[0]))
        with warnings.catch_warnings():
            # Of the samples as a whole was warned already; of the parts only numbers differ.
            warnings.simplefilter("ignore", ConstantColumnWarning)
            warnings.simplefilter("ignore", DiscreteDataWarning)
            warnings.filterwarnings("ignore", r"\d+ pairs \(x, y\)", TiedSamplesWarning)
            self.fit(left[order[asked:]], right[order[asked:]])
            return self.estimate(left[order[:asked]], right[order[:asked]])

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors (N, X) and (N, Y) on the device, or ValueError; may be overridden."""
        return check_pair(x, y, device=self.device)
