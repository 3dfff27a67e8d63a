"""The multivariate Student-t law of greatest likelihood, and samples mapped through it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

FEWEST_DEGREES, MOST_DEGREES = 0.1, 1e4
"""Range of degrees of freedom; at its upper end the law is normal for any practical purpose."""
MOST_ROUNDS = 500
TOLERANCE = 1e-9
"""Gain of the mean log-likelihood, in nats, below which a fit has converged."""


@dataclass(frozen=True)
class StudentFit:
    """Parameters of a Student-t law of D variables."""

    location: Float64[np.ndarray, " D"]
    dispersion: Float64[np.ndarray, "D D"]
    degrees_of_freedom: float


def fit_student(samples: Float64[np.ndarray, "N D"], start: StudentFit | None = None) -> StudentFit:
    """Maximum likelihood by ECME (Liu and Rubin 1995, Statistica Sinica 5).

    Each round weights the samples by how central they are, moves location and dispersion, then sets
    the degrees of freedom to the best for them. The weights are divided by their mean, which keeps
    the fixed point and needs far fewer rounds (Kent, Tyler and Vardi 1994). Begins at medians and
    quantile ranges, or at `start`. Raises ValueError if the columns are linearly dependent, or the
    likelihood grows without limit because samples lie on fewer dimensions.
    """
    centre = np.median(samples, axis=0)
    spread = np.subtract(*np.quantile(samples, [0.75, 0.25], axis=0))
    scale = np.where(spread > 0, spread, np.ptp(samples, axis=0))
    if (scale == 0).any():
        raise ValueError("a column never changes: remove it")
    points = (samples - centre) / scale
    location, dispersion, freedom = _begin(points, centre, scale, start)
    best = -math.inf
    for _ in range(MOST_ROUNDS):
        lengths, log_volume = _lengths(points, location, dispersion)
        freedom = _best_freedom(lengths, points.shape[1], freedom)
        found = log_likelihood(lengths, points.shape[1], freedom) - log_volume
        if found - best < TOLERANCE:
            break
        best = found
        weights = (freedom + points.shape[1]) / (freedom + lengths)
        weights /= weights.mean()
        location = weights @ points / len(points)
        centred = points - location
        dispersion = (centred * weights[:, None]).T @ centred / len(points)
    return StudentFit(location * scale + centre, dispersion * np.outer(scale, scale), freedom)


def log_likelihood(lengths: Float64[np.ndarray, " N"], dims: int, freedom: float) -> float:
    """Mean log density in nats, but for ½ ln |dispersion|, of squared lengths under a law."""
    constant = gammaln((freedom + dims) / 2) - gammaln(freedom / 2)
    constant -= dims / 2 * math.log(freedom * math.pi)
    return float(constant - (freedom + dims) / 2 * np.log1p(lengths / freedom).mean())


def radially_normal(samples: Float64[np.ndarray, "N D"], fit: StudentFit) -> np.ndarray:
    """Samples (N, D) mapped so that they are standard normal exactly if the law is `fit`.

    Whitened by the dispersion, they keep their directions; squared lengths, D times an F(D, ν)
    variable, become χ² with D degrees of freedom.
    """
    dims = samples.shape[1]
    factor = np.linalg.cholesky(fit.dispersion)
    white = np.linalg.solve(factor, (samples - fit.location).T).T
    lengths = np.square(white).sum(axis=1)
    # By the upper tail, where a far sample keeps its rank.
    outside = stats.f.sf(lengths / dims, dims, fit.degrees_of_freedom)
    normal = stats.chi2.isf(np.clip(outside, 1e-300, 1.0), dims)
    ratio = np.sqrt(normal / np.maximum(lengths, 1e-300))
    return np.asarray(white * ratio[:, None])


def _begin(
    points: np.ndarray, centre: np.ndarray, scale: np.ndarray, start: StudentFit | None
) -> tuple[np.ndarray, np.ndarray, float]:
    if start is not None:
        dispersion = start.dispersion / np.outer(scale, scale)
        return (start.location - centre) / scale, dispersion, start.degrees_of_freedom
    clipped = np.clip(points, -3.0, 3.0)
    return np.zeros(points.shape[1]), np.atleast_2d(np.cov(clipped.T)), 4.0


def _lengths(
    points: np.ndarray, location: np.ndarray, dispersion: np.ndarray
) -> tuple[np.ndarray, float]:
    """Squared lengths in units of the dispersion, and ½ ln of its determinant."""
    try:
        factor = np.linalg.cholesky(dispersion)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(dispersion)
    diagonal = factor.diagonal()
    # A singular matrix may pass by rounding; of that size a pivot is rounding alone.
    if (diagonal <= 1e-7 * np.sqrt(dispersion.diagonal())).any():
        raise ValueError(
            "the columns of x and y are linearly dependent, or most samples lie on fewer "
            "dimensions: no Student-t density fits. Remove shared columns or repeated samples"
        )
    white = np.linalg.solve(factor, (points - location).T)
    return np.square(white).sum(axis=0), float(np.log(diagonal).sum())


def _best_freedom(lengths: np.ndarray, dims: int, present: float) -> float:
    """The degrees of freedom under which these squared lengths are most likely."""
    limits = math.log(FEWEST_DEGREES), math.log(MOST_DEGREES)
    found = minimize_scalar(
        lambda value: -log_likelihood(lengths, dims, math.exp(value)),
        bounds=limits,
        method="bounded",
        options={"xatol": 1e-6},
    )
    best = math.exp(found.x)
    # A bounded search that stops a hair from the optimum must not undo a better value.
    gains = [log_likelihood(lengths, dims, each) for each in (best, present)]
    return best if gains[0] >= gains[1] else present
