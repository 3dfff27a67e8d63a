"""Diagnostics of dependence, from samples alone: is a Gaussian copula behind them?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from rl_info.estimators.normal_scores import normal_scores

FloatArray = NDArray[np.float64]
LARGEST_SUBSAMPLE = 2000
"""Rows that a test of normality looks at: its cost is quadratic in them."""
LEADING_PAIRS = 8
"""Canonical pairs that are tested one by one, strongest first."""
WIDEST_THIRD_MOMENTS = 48
"""Dimensions of x and of y whose third moments are tested: their number grows with the cube."""


@dataclass(frozen=True)
class CopulaDiagnostics:
    """How Gaussian paired samples, or their copula, look."""

    p_value: float
    """Probability of departures this large if it were Gaussian; Bonferroni-corrected."""
    correlations: FloatArray
    """Canonical correlations of what was tested: x and y, or their normal scores."""
    linear_information: float
    """−½ Σ ln(1 − ρ²), in nats: the information if it were Gaussian."""


def henze_zirkler(samples: FloatArray) -> float:
    """P-value of the Henze–Zirkler test that rows (N, D) come from a multivariate normal.

    Consistent against every alternative (Henze and Zirkler 1990, Communications in Statistics 19).
    The statistic is the weighted distance between empirical and normal characteristic functions;
    its null distribution is approximated by a log-normal one with their moments. Memory O(N²).
    """
    white = whiten(samples)
    n, d = white.shape
    beta = ((2 * d + 1) * n / 4) ** (1 / (d + 4)) / math.sqrt(2)
    b2 = beta**2
    squared = np.einsum("ij,ij->i", white, white)
    between = np.maximum(squared[:, None] + squared - 2 * white @ white.T, 0.0)
    statistic = (
        np.exp(-0.5 * b2 * between).sum() / n
        - 2 * (1 + b2) ** (-d / 2) * np.exp(-0.5 * b2 * squared / (1 + b2)).sum()
        + n * (1 + 2 * b2) ** (-d / 2)
    )
    return _log_normal_tail(float(statistic), d, b2)


def _log_normal_tail(statistic: float, d: int, b2: float) -> float:
    """Upper tail of the null distribution, by its mean and variance."""
    a = 1 + 2 * b2
    w = (1 + b2) * (1 + 3 * b2)
    mean = 1 - a ** (-d / 2) * (1 + d * b2 / a + d * (d + 2) * b2**2 / (2 * a**2))
    variance = (
        2 * (1 + 4 * b2) ** (-d / 2)
        + 2 * a**-d * (1 + 2 * d * b2**2 / a**2 + 3 * d * (d + 2) * b2**4 / (4 * a**4))
        - 4 * w ** (-d / 2) * (1 + 3 * d * b2**2 / (2 * w) + d * (d + 2) * b2**4 / (2 * w**2))
    )
    log_variance = math.log1p(variance / mean**2)
    log_mean = math.log(mean) - log_variance / 2
    score = (math.log(max(statistic, 1e-12)) - log_mean) / math.sqrt(log_variance)
    return 1 - NormalDist().cdf(score)


def third_moments(pairs: FloatArray, singles: FloatArray) -> float:
    """P-value of the largest of all E[a_i a_j b_k] being zero, Bonferroni-corrected.

    Parity hides from tests of two variables at a time and, among many dimensions, from those of
    all; the third moments of a normal distribution are zero. Columns past the first
    `WIDEST_THIRD_MOMENTS` are left out.
    """
    pairs, singles = pairs[:, :WIDEST_THIRD_MOMENTS], singles[:, :WIDEST_THIRD_MOMENTS]
    first, second = np.triu_indices(pairs.shape[1])
    products = pairs[:, first] * pairs[:, second]
    moments = products.T @ singles / len(products)
    variances = (products**2).T @ (singles**2) / len(products) - moments**2
    scores = np.sqrt(len(products)) * np.abs(moments) / np.sqrt(np.maximum(variances, 1e-300))
    return min(1.0, float(2 * ndtr(-scores.max()) * scores.size))


def whiten(samples: FloatArray, tolerance: float = 1e-9) -> FloatArray:
    """Columns of unit variance without correlation; directions without variance are dropped."""
    centred = samples - samples.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / samples.shape[0])
    kept = values > tolerance * max(values[-1], 1e-300)
    return np.asarray(centred @ vectors[:, kept] / np.sqrt(values[kept]))


def _normal_scores(samples: FloatArray) -> FloatArray:
    return np.asarray(normal_scores(torch.from_numpy(samples)).numpy())


def diagnose_copula(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> CopulaDiagnostics:
    """Test samples (N, X) and (N, Y) for a Gaussian copula.

    Monotone maps of single coordinates change neither the copula nor its information, so the test
    is one of joint normality of the normal scores: see `diagnose_normality`.
    """
    return diagnose_normality(_normal_scores(x), _normal_scores(y), rng)


def diagnose_normality(x: FloatArray, y: FloatArray, rng: np.random.Generator) -> CopulaDiagnostics:
    """Test samples (N, X) and (N, Y) for joint normality.

    Tested are all columns together, and the leading canonical pairs, where dependence hides less
    easily among many dimensions.
    """
    rows = rng.permutation(x.shape[0])[:LARGEST_SUBSAMPLE]
    left, right = (whiten(side) for side in (x, y))
    u, correlations, vt = np.linalg.svd(left.T @ right / x.shape[0])
    correlations = np.clip(correlations, 0.0, 1.0)
    pairs = min(LEADING_PAIRS, len(correlations))
    scores_x, scores_y = left @ u[:, :pairs], right @ vt.T[:, :pairs]
    tests = [
        henze_zirkler(np.hstack([left, right])[rows]),
        third_moments(left[rows], right[rows]),
        third_moments(right[rows], left[rows]),
    ]
    tests += [
        henze_zirkler(np.stack([scores_x[rows, pair], scores_y[rows, pair]], axis=1))
        for pair in range(pairs)
    ]
    with np.errstate(divide="ignore"):
        information = float(-0.5 * np.log1p(-(correlations**2)).sum())
    return CopulaDiagnostics(min(1.0, len(tests) * min(tests)), correlations, information)
