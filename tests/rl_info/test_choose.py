"""The choice of an estimator from the samples, and what the one-call interface returns."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

import rl_info
from rl_info.distributions import TASKS, correlated_normal
from rl_info.estimators import ESTIMATORS, build_estimator
from rl_info.estimators.choice import Choice, read_choice
from rl_info.estimators.choose import ChosenEstimate, choose_estimator, mutual_information
from rl_info.estimators.copula_diagnostics import (
    diagnose_copula,
    henze_zirkler,
    third_moments,
)
from rl_info.estimators.inputs import (
    ConstantColumnWarning,
    LikelyLowWarning,
    TiedSamplesWarning,
)


def draw(task: str, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    return TASKS[task].sample(n, torch.Generator().manual_seed(seed), torch.float64)


def test_the_statistic_of_henze_and_zirkler_is_the_sum_over_pairs() -> None:
    samples = np.random.default_rng(0).normal(size=(40, 2)) ** 3
    p = henze_zirkler(samples)
    # An affine map changes neither the statistic nor its p-value.
    assert henze_zirkler(samples @ np.array([[2.0, 1.0], [0.0, -3.0]]) + 5) == pytest.approx(p)
    assert p < 1e-3


def test_normality_is_rejected_at_about_the_level_and_no_more() -> None:
    p_values = [
        henze_zirkler(np.random.default_rng(seed).normal(size=(150, 3))) for seed in range(200)
    ]
    # 200 tests at level 0.1: 20 ± 4.2 rejections.
    assert 8 <= sum(p < 0.1 for p in p_values) <= 33


@pytest.mark.parametrize("task", ["student-1-1x1", "uniform-0.1-1x1", "student-3-5x5"])
def test_copulas_that_are_not_normal_are_found(task: str) -> None:
    x, y = (value.numpy() for value in draw(task, 1000))
    assert diagnose_copula(x, y, np.random.default_rng(0)).p_value < 1e-6


def test_the_diagnosis_ignores_increasing_maps_of_columns() -> None:
    x, y = (value.numpy() for value in draw("normal-dense-3x3", 500))
    plain = diagnose_copula(x, y, np.random.default_rng(0))
    bent = diagnose_copula(np.exp(x), y**3, np.random.default_rng(0))
    assert bent.p_value == plain.p_value
    assert plain.linear_information == pytest.approx(TASKS["normal-dense-3x3"].information, abs=0.1)


def test_parity_among_many_columns_is_found() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2000, 6))
    assert third_moments(x, y) > 0.01
    y[:, 0] = np.abs(y[:, 0]) * np.sign(x[:, 0] * x[:, 1])
    assert third_moments(x, y) < 1e-6


@pytest.mark.parametrize(
    ("task", "n", "expected"),
    [
        ("normal-dense-5x5", 500, "cca"),
        ("normal-dense-25x25", 400, "cca"),
        ("half-cube-2pair-5x5", 500, "gaussian_copula"),
        ("normal-cdf-1x1", 500, "gaussian_copula"),
        ("student-1-2x2", 1000, "student"),
        ("asinh-student-2-3x3", 1000, "ksg"),
        ("uniform-0.1-1x1", 1000, "ksg"),
        ("student-3-5x5", 500, "student"),
        ("asinh-student-2-5x5", 1000, "difference_of_entropies"),
        ("spiral-2pair-5x5", 500, "ksg"),
    ],
)
def test_the_samples_choose_the_estimator(task: str, n: int, expected: str) -> None:
    choice = choose_estimator(*draw(task, n))
    assert choice.estimator == expected
    assert choice.estimator in ESTIMATORS
    assert choice.reason
    build_estimator(choice.estimator, **choice.settings)


def test_the_narrower_variable_is_the_one_that_is_modelled() -> None:
    x, y = draw("spiral-2pair-5x5", 1500)
    assert choose_estimator(x[:, :3], y).swapped
    assert not choose_estimator(x, y[:, :3]).swapped


def test_few_distinct_values_go_to_bins() -> None:
    x, y = draw("normal-1x1", 500)
    assert choose_estimator(x.round(), y).estimator == "adaptive_binning"


@pytest.mark.parametrize("information", [2.0, 10.0])
def test_correlated_normals_are_measured_well_at_any_information(information: float) -> None:
    task = correlated_normal(5, information)
    x, y = task.sample(2000, torch.Generator().manual_seed(0))
    found = mutual_information(x, y)
    assert found.estimator == "cca"
    assert found.value == pytest.approx(information, abs=0.2)


@pytest.mark.parametrize(("task", "tolerance"), [("uniform-0.1-1x1", 0.1), ("student-1-1x1", 0.1)])
def test_other_samples_are_measured_within_the_spread(task: str, tolerance: float) -> None:
    found = rl_info.mutual_information(*draw(task, 2000))
    assert found.value == pytest.approx(TASKS[task].information, abs=tolerance)
    assert found.estimator == ("student" if task.startswith("student") else "ksg")


def test_many_columns_that_are_not_normal_are_warned_of_and_leave_the_higher_reading() -> None:
    x, y = draw("spiral-2pair-5x5", 1200)
    with pytest.warns(LikelyLowWarning, match="likely too low: of dependence in 10 columns"):
        found = mutual_information(x, y)
    assert found.estimator == "ksg"
    beaten = re.search(
        r"difference_of_entropies, .* low here too, has ([0-9.]+) nats", found.reason
    )
    assert beaten is not None
    assert float(beaten[1]) < found.value < TASKS["spiral-2pair-5x5"].information


def test_neighbours_that_lose_much_when_doubled_are_warned_of() -> None:
    x, y = correlated_normal(3, 6.0).sample(1000, torch.Generator().manual_seed(0), torch.float64)
    choice = Choice("ksg", "", {"margins": "rank"})
    with pytest.warns(LikelyLowWarning, match="6 neighbours read"):
        _, found = read_choice(choice, x, y)
    assert found.value < 5
    with warnings.catch_warnings():
        warnings.simplefilter("error", LikelyLowWarning)
        read_choice(choice, *draw("normal-1x1", 1000))


@pytest.mark.parametrize("information", [8.0, 10.0])
def test_normals_almost_on_a_line_are_still_seen_to_be_normal(information: float) -> None:
    x, y = correlated_normal(1, information).sample(5000, torch.Generator().manual_seed(1))
    found = mutual_information(x, y)
    assert found.estimator == "cca"
    assert found.value == pytest.approx(information, abs=0.1)


def test_labels_are_counted() -> None:
    labels = np.arange(400) % 4
    found = mutual_information(labels, np.stack([labels // 2, labels % 2], axis=1))
    assert isinstance(found, ChosenEstimate)
    assert found.estimator == "plug_in"
    assert found.value == pytest.approx(math.log(4), abs=1e-9)


def test_one_discrete_variable_is_binned_with_the_other() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, size=2000)
    found = mutual_information(label, label + 0.01 * rng.normal(size=2000))
    assert found.estimator == "adaptive_binning"
    assert found.value == pytest.approx(math.log(2), abs=0.05)


def test_an_estimator_asked_for_by_name_gets_its_settings_and_tells_its_progress() -> None:
    x, y = draw("normal-1x1", 200)
    seen: list[tuple[int, int]] = []
    found = mutual_information(
        x,
        y,
        "difference_of_entropies",
        seed=3,
        steps=5,
        progress=lambda step, steps: seen.append((step, steps)),
    )
    assert seen == [(step, 5) for step in range(1, 6)]
    assert (found.estimator, found.reason) == ("difference_of_entropies", "asked for by name")
    again = mutual_information(x, y, "difference_of_entropies", seed=3, steps=5)
    assert again == found


def test_requests_that_make_no_sense_name_the_fix() -> None:
    x, y = draw("normal-1x1", 100)
    with pytest.raises(ValueError, match="did you mean 'ksg'"):
        mutual_information(x, y, "ksgg")
    with pytest.raises(ValueError, match=r"unknown estimator 'zzz'\. Estimators: "):
        mutual_information(x, y, "zzz")
    with pytest.raises(ValueError, match="belong to one estimator"):
        mutual_information(x, y, k=5)
    with pytest.raises(ValueError, match="must belong together"):
        mutual_information(x, y[:50])
    with pytest.raises(ValueError, match="99 samples and y has 100"):
        mutual_information(np.arange(99), np.arange(100))
    with pytest.raises(AttributeError, match="no attribute 'mutual_informatoin'"):
        _ = rl_info.mutual_informatoin


def test_labels_are_counted_by_name_too_and_floats_are_not_labels() -> None:
    labels = torch.arange(200) % 4
    found = mutual_information(labels, labels, "plug_in")
    assert (found.estimator, found.reason) == ("plug_in", "asked for by name")
    assert found.value == pytest.approx(math.log(4), abs=1e-9)
    with pytest.raises(ValueError, match="give integer x and y"):
        mutual_information(labels, labels.double(), "plug_in")


def test_a_variable_that_never_changes_tells_nothing() -> None:
    x, _ = draw("normal-1x1", 100)
    still = torch.ones(100, 9, dtype=torch.float64)
    for pair, name in (((x, still), "y"), ((still, x), "x")):
        with pytest.warns(ConstantColumnWarning, match=f"{name} never changes"):
            found = mutual_information(*pair)
        assert found.value == 0
        assert f"{name} never changes" in found.reason


def test_few_samples_that_pass_a_test_are_doubted() -> None:
    assert "hardly show otherwise" in choose_estimator(*draw("normal-1x1", 12)).reason
    assert "hardly" not in choose_estimator(*draw("normal-1x1", 500)).reason


def test_repeated_rows_are_warned_of_whoever_is_asked() -> None:
    x, y = (value.repeat(2, 1) for value in draw("normal-1x1", 200))
    for name in ("auto", "cca", "infonce"):
        settings = {"steps": 2} if name == "infonce" else {}
        with pytest.warns(TiedSamplesWarning, match=r"400 pairs \(x, y\) are equal") as caught:
            mutual_information(x, y, name, **settings)
        assert len({str(item.message) for item in caught}) == 1


def test_importing_the_package_leaves_torch_alone() -> None:
    code = "import sys, rl_info; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
