"""Is a Student-t law behind the samples?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from torch import Tensor

from rl_info.estimators.copula_diagnostics import diagnose_normality
from rl_info.estimators.student import moving
from rl_info.estimators.student_fit import StudentFit, fit_student, radially_normal


@dataclass(frozen=True)
class StudentDiagnostics:
    """How well the most likely Student-t law fits."""

    p_value: float
    """Probability of departures this large if it were that law; Bonferroni-corrected."""
    degrees_of_freedom: float
    """ν of the fit."""


def diagnose_student(x: Tensor, y: Tensor, rng: np.random.Generator) -> StudentDiagnostics:
    """Test samples (N, X) and (N, Y) for a joint Student-t law, fitted by maximum likelihood.

    Tested are the samples made normal by their lengths (`radially_normal`), jointly; single
    columns of all samples, which are Student-t too (Kolmogorov and Smirnov); and the fourth
    moments of directions, which are uniform whatever the lengths, but not if columns were bent
    one by one. The fit adapts to the samples, so that the p-value is too large rather than too
    small. Raises ValueError where no such law can be fitted.
    """
    left, right = moving(x), moving(y)
    joint = np.hstack([left, right])
    fit = fit_student(joint)
    normal = radially_normal(joint, fit)
    split = left.shape[1]
    together = diagnose_normality(normal[:, :split], normal[:, split:], rng).p_value
    alone = joint.shape[1] * _least_of_columns(joint, fit)
    p_value = min(1.0, 3 * min(together, alone, _of_directions(normal)))
    return StudentDiagnostics(p_value, fit.degrees_of_freedom)


def _least_of_columns(samples: np.ndarray, fit: StudentFit) -> float:
    scales = np.sqrt(fit.dispersion.diagonal())
    shares = stats.t.cdf((samples - fit.location) / scales, fit.degrees_of_freedom)
    return float(min(stats.kstest(column, "uniform").pvalue for column in shares.T))


def _of_directions(normal: np.ndarray) -> float:
    """P-value of Σ u⁴ of unit vectors u having its mean on the sphere, 3 / (D + 2)."""
    squared = np.square(normal)
    fourth = np.square(squared / squared.sum(axis=1, keepdims=True)).sum(axis=1)
    excess = fourth.mean() - 3 / (normal.shape[1] + 2)
    return float(2 * stats.norm.sf(abs(excess) * np.sqrt(len(fourth)) / fourth.std()))
