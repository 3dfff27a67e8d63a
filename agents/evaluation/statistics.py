"""Means and rates with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """A figure with the interval that holds it at the given confidence."""

    value: float
    low: float | None
    """None where a single sample allows no interval."""
    high: float | None
    count: int
    """Independent samples behind it."""
    confidence: float = CONFIDENCE


def mean_interval(samples: Float[np.ndarray, " N"], seed: int = 0) -> Interval:
    """Mean with a percentile bootstrap interval; raises ValueError for no samples."""
    values = np.asarray(samples, dtype=np.float64)
    if values.size == 0:
        raise ValueError("a mean needs at least one sample")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, None, None, 1)
    result = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(mean, float(low), float(high), values.size)


def ratio_interval(
    totals: Float[np.ndarray, " N"], sizes: Float[np.ndarray, " N"], seed: int = 0
) -> Interval:
    """Σ totals / Σ sizes, such as events in steps of N episodes, by a percentile bootstrap of them.

    Steps of an episode depend on each other; its episodes do not. Raises ValueError for none, for
    different numbers of them, and for a size that is not positive.
    """
    if len(totals) != len(sizes) or len(sizes) == 0 or not (sizes > 0).all():
        raise ValueError("a ratio needs one total for each size, and sizes above 0")
    above, below = np.asarray(totals, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    value = float(above.sum() / below.sum())
    if len(above) == 1:
        return Interval(value, None, None, 1)
    random = np.random.default_rng(seed)
    # One row of multiplicities for each resample of the episodes.
    drawn = random.multinomial(len(above), np.full(len(above), 1 / len(above)), RESAMPLES)
    ratios = (drawn @ above) / (drawn @ below)
    low, high = np.quantile(ratios, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, float(low), float(high), len(above))


def rate_interval(successes: int, trials: int) -> Interval:
    """Share of successes with Wilson's score interval; raises ValueError for no trials."""
    if trials < 1:
        raise ValueError("a rate needs at least one trial")
    low, high = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(low), float(high), trials)
