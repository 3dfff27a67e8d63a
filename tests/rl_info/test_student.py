"""The Student-t estimator against the closed form, its fit, and the test that chooses it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from rl_info.distributions import TASKS, Student, correlated_normal
from rl_info.estimators import CCA, StudentConfig, StudentT, mutual_information
from rl_info.estimators.student_diagnostics import diagnose_student
from rl_info.estimators.student_fit import fit_student, radially_normal


def draw(name: str, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return TASKS[name].sample(n, torch.Generator().manual_seed(seed), torch.float64)


def test_the_fit_has_the_greatest_likelihood_nearby():
    x, y = draw("student-2-2x2", 600)
    samples = np.hstack([x.numpy(), y.numpy()])
    fit = fit_student(samples)

    def likelihood(location: np.ndarray, dispersion: np.ndarray, freedom: float) -> float:
        return float(stats.multivariate_t(location, dispersion, freedom).logpdf(samples).mean())

    best = likelihood(fit.location, fit.dispersion, fit.degrees_of_freedom)
    for factor in (0.97, 1.03):
        near = [
            likelihood(fit.location, fit.dispersion * factor, fit.degrees_of_freedom),
            likelihood(fit.location, fit.dispersion, fit.degrees_of_freedom * factor),
            likelihood(fit.location + factor - 1, fit.dispersion, fit.degrees_of_freedom),
        ]
        assert max(near) < best


@pytest.mark.parametrize("name", ["student-1-1x1", "student-2-3x3", "student-3-5x5"])
def test_it_finds_the_closed_form_within_its_error(name: str):
    found = [StudentT(StudentConfig(groups=10)).estimate(*draw(name, 1500, s)) for s in range(4)]
    values = np.array([each.value for each in found])
    error = np.mean([each.std_error for each in found])
    # Biased upwards by XY / 2N, as the covariance of normal samples is.
    assert values.mean() == pytest.approx(TASKS[name].information, abs=1.5 * error + 0.02)
    assert 0.2 * error < values.std(ddof=1) < 4 * error


def test_correlation_counts_too_and_units_do_not():
    law = Student(torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64), 1, 3.0)
    x, y = law.sample(4000, torch.Generator().manual_seed(0))
    found = StudentT(StudentConfig(groups=5)).estimate(x, y)
    assert found.value == pytest.approx(law.information, abs=3 * found.std_error + 0.01)
    moved = StudentT(StudentConfig(groups=5)).estimate(1e6 * x + 5, -1e-6 * y)
    assert moved.value == pytest.approx(found.value, abs=1e-4)


def test_normal_samples_are_the_limit_of_light_tails():
    x, y = correlated_normal(2, 1.0).sample(2000, torch.Generator().manual_seed(0))
    assert StudentT().estimate(x, y).value == pytest.approx(CCA().estimate(x, y).value, abs=0.01)


def test_samples_of_the_law_become_normal_by_their_lengths():
    x, y = draw("student-2-2x2", 4000)
    samples = np.hstack([x.numpy(), y.numpy()])
    mapped = radially_normal(samples, fit_student(samples))
    lengths = np.square(mapped).sum(axis=1)
    assert stats.kstest(lengths, stats.chi2(4).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("name", "is_student"),
    [("student-1-2x2", True), ("student-3-5x5", True), ("asinh-student-2-3x3", False),
     ("asinh-student-3-5x5", False), ("bimodal-1x1", False), ("uniform-0.1-1x1", False)],
)  # fmt: skip
def test_the_law_is_told_from_others(name: str, is_student: bool):
    found = diagnose_student(*draw(name, 1000), np.random.default_rng(0))
    assert (found.p_value > 1e-3) == is_student


def test_what_has_no_such_density_is_refused():
    x, y = draw("student-2-2x2", 200)
    with pytest.raises(ValueError, match="linearly dependent"):
        StudentT().estimate(x, torch.cat([y, x[:, :1]], dim=1))
    with pytest.raises(ValueError, match="groups"):
        StudentConfig(groups=1)


def test_heavy_tails_are_chosen_and_read_right():
    found = mutual_information(*draw("student-2-2x2", 2000))
    assert found.estimator == "student"
    assert "degrees of freedom pass" in found.reason
    assert math.isclose(
        found.value, TASKS["student-2-2x2"].information, abs_tol=3 * found.std_error + 0.01
    )
