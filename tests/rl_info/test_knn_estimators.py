"""Estimators that count neighbours, against slow references, closed forms and theory."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, gammaln
from scipy.stats import norm as standard_normal

from rl_info.estimators import build_estimator
from rl_info.estimators.inputs import IncompleteCorrectionWarning, TiedSamplesWarning
from rl_info.estimators.kozachenko_leonenko import entropy_kl
from rl_info.estimators.ksg import KSG, KSGConfig
from rl_info.estimators.neighbours.ties import count_tied
from rl_info.estimators.weighted_kozachenko_leonenko import (
    bias_cancelling_weights,
    entropy_weighted_kl,
)

INFORMATION = -0.5 * math.log(1 - 0.75**2)
DIRECT = ["ksg", "kozachenko_leonenko", "weighted_kozachenko_leonenko"]


def normals(samples: int, dims: int = 1, seed: int = 0, rho: float = 0.75):
    x, noise = np.random.default_rng(seed).standard_normal((2, samples, dims))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def slow_distances(points: np.ndarray, norm: str) -> np.ndarray:
    gaps = np.abs(points[:, None] - points[None])
    found = gaps.max(axis=-1) if norm == "max" else np.sqrt((gaps**2).sum(axis=-1))
    np.fill_diagonal(found, np.inf)
    return found


@pytest.mark.parametrize("norm", ["max", "euclidean"])
@pytest.mark.parametrize(("dims", "k"), [(1, 1), (1, 4), (3, 3), (6, 10)])
def test_ksg_equals_its_formula_computed_slowly(dims: int, k: int, norm: str) -> None:
    x, y = normals(400, dims, seed=dims)
    of_x, of_y = slow_distances(x, norm), slow_distances(y, norm)
    radii = np.sort(np.maximum(of_x, of_y), axis=1)[:, [k - 1]]
    counts = (of_x < radii).sum(axis=1), (of_y < radii).sum(axis=1)
    terms = digamma(k) + digamma(400) - digamma(counts[0] + 1) - digamma(counts[1] + 1)
    found = KSG(KSGConfig(k=k, norm=norm, margins="raw")).estimate(x, y)  # type: ignore[arg-type]
    assert found.value == pytest.approx(terms.mean(), abs=1e-10)
    assert found.std_error == pytest.approx(terms.std(ddof=1) / 20, abs=1e-10)


@pytest.mark.parametrize("norm", ["max", "euclidean"])
def test_entropy_equals_its_formula_computed_slowly(norm: str) -> None:
    x = normals(300, 3)[0]
    radii = np.sort(slow_distances(x, norm), axis=1)[:, 3]
    ball = math.log(8.0) if norm == "max" else math.log(4 * math.pi / 3)
    expected = digamma(300) - digamma(4) + ball + 3 * np.log(radii).mean()
    assert entropy_kl(x, 4, norm=norm).value == pytest.approx(expected, abs=1e-10)  # type: ignore[arg-type]


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_entropy_of_known_densities(dims: int) -> None:
    rng = np.random.default_rng(3)
    truth = 0.5 * dims * math.log(2 * math.pi * math.e)
    found = entropy_kl(rng.standard_normal((6000, dims)))
    assert abs(found.value - truth) < 4 * found.std_error
    scaled = entropy_kl(5 * rng.uniform(size=(6000, dims)))
    assert abs(scaled.value - dims * math.log(5)) < 4 * scaled.std_error + 0.03 * dims


def test_entropy_shifts_with_scale_and_not_with_place_or_rotation() -> None:
    x = normals(500, 3, seed=4)[0]
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    for entropy in (entropy_kl, entropy_weighted_kl):
        plain = entropy(x).value
        assert entropy(10 * x - 3).value == pytest.approx(plain + 3 * math.log(10), abs=1e-9)
        assert entropy(x @ turn).value == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("name", [*DIRECT, "sliced"])
def test_bivariate_normal(name: str) -> None:
    x, y = normals(5000)
    found = build_estimator(name, projections=2) if name == "sliced" else build_estimator(name)
    estimate = found.estimate(x, y)
    assert abs(estimate.value - INFORMATION) < 3 * estimate.std_error + 0.01
    assert estimate.std_error < 0.03


def dense_normal(dims: int, samples: int, rng: np.random.Generator):
    """All correlations one half, which one common factor makes."""
    common = rng.standard_normal((samples, 1))
    z = math.sqrt(0.5) * (common + rng.standard_normal((samples, 2 * dims)))
    return z[:, :dims], z[:, dims:]


def additive_uniform(samples: int, rng: np.random.Generator):
    x = rng.uniform(size=(samples, 1))
    return x, x + rng.uniform(-0.1, 0.1, size=(samples, 1))


def student(samples: int, rng: np.random.Generator):
    z = rng.standard_normal((samples, 2)) / np.sqrt(rng.chisquare(1, size=(samples, 1)))
    return z[:, :1], z[:, 1:]


def wiggly(samples: int, rng: np.random.Generator):
    x, y = normals(samples, seed=int(rng.integers(1000)))
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1), y - 0.1 * np.sin(2.4 * y)


@pytest.mark.parametrize(
    ("draw", "published", "margins"),
    [
        (lambda rng: dense_normal(5, 5000, rng), 0.555, "standard"),
        (lambda rng: dense_normal(25, 5000, rng), 1.044, "standard"),
        (lambda rng: additive_uniform(5000, rng), 1.665, "standard"),
        (lambda rng: wiggly(5000, rng), 0.412, "standard"),
        (lambda rng: student(5000, rng), 0.150, "standard"),
        (lambda rng: student(5000, rng), 0.225, "rank"),
    ],
    ids=["dense 5", "dense 25", "additive", "wiggly", "Student", "Student by ranks"],
)
def test_ksg_gives_the_reference_estimates(draw, published: float, margins: str) -> None:
    x, y = draw(np.random.default_rng(11))
    found = KSG(KSGConfig(k=10, margins=margins)).estimate(x, y)  # type: ignore[arg-type]
    assert found.value == pytest.approx(published, abs=3 * found.std_error)


def test_few_neighbours_bring_high_dimensions_nearer_the_truth() -> None:
    x, y = dense_normal(25, 3000, np.random.default_rng(12))
    few, many = (KSG(KSGConfig(k=k)).estimate(x, y).value for k in (3, 10))
    assert many < few < 1.2922


def test_weights_cancel_bias_where_the_plain_estimate_is_low() -> None:
    truth = 6.0
    x, y = normals(6000, 3, rho=math.sqrt(1 - math.exp(-2 * truth / 3)))
    plain = build_estimator("kozachenko_leonenko", k=20).estimate(x, y).value
    weighted = build_estimator("weighted_kozachenko_leonenko", k=20).estimate(x, y).value
    assert abs(weighted - truth) < 0.5
    assert abs(plain - truth) > 1.0


@pytest.mark.parametrize(("k", "dims"), [(20, 4), (20, 7), (50, 10), (30, 13)])
def test_weights_meet_the_conditions_of_the_paper(k: int, dims: int) -> None:
    weights = bias_cancelling_weights(k, dims)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    j = np.arange(1, k + 1)
    assert set(np.flatnonzero(weights) + 1) <= {i * k // dims for i in range(1, dims + 1)}
    for order in range(1, dims // 4 + 1):
        ratios = np.exp(gammaln(j + 2 * order / dims) - gammaln(j))
        assert abs(weights @ ratios) < 1e-7 * np.abs(weights * ratios).sum() + 1e-12


@pytest.mark.parametrize(("dims", "met", "asked"), [(6, 2, 3), (20, 1, 10)])
def test_conditions_that_weights_leave_out_are_warned_of(dims: int, met: int, asked: int) -> None:
    x, y = normals(200, dims)
    message = f"in {2 * dims} columns meet {met} of the {asked} conditions"
    with pytest.warns(IncompleteCorrectionWarning, match=message):
        build_estimator("weighted_kozachenko_leonenko").estimate(x, y)
    with pytest.warns(IncompleteCorrectionWarning, match=message):
        entropy_weighted_kl(np.hstack([x, y]))


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_weights_that_meet_all_conditions_are_not_warned_of(dims: int) -> None:
    x, y = normals(200, dims)
    with warnings.catch_warnings():
        warnings.simplefilter("error", IncompleteCorrectionWarning)
        build_estimator("weighted_kozachenko_leonenko").estimate(x, y)
        entropy_weighted_kl(np.hstack([x, y]))


def test_weights_are_held_to_their_largest_norm_and_plain_below_four_dimensions() -> None:
    np.testing.assert_array_equal(bias_cancelling_weights(7, 3), np.eye(7)[-1])
    assert np.linalg.norm(bias_cancelling_weights(20, 20)) > 1000
    held = bias_cancelling_weights(20, 20, 20.0)
    assert 1 < np.linalg.norm(held) <= 20
    assert held.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", DIRECT)
def test_order_of_pairs_and_of_variables_does_not_matter(name: str) -> None:
    x, y = normals(500, 2, seed=5)
    estimator = build_estimator(name)
    value = estimator.estimate(x, y).value
    order = np.random.default_rng(0).permutation(500)
    assert estimator.estimate(x[order], y[order]).value == pytest.approx(value, abs=1e-10)
    assert estimator.estimate(y, x).value == pytest.approx(value, abs=1e-10)
    assert estimator.estimate(x[:, ::-1].copy(), y).value == pytest.approx(value, abs=1e-10)


@given(
    st.integers(0, 1000),
    st.lists(st.floats(0.01, 100.0), min_size=2, max_size=2),
    st.floats(-50.0, 50.0),
)
@settings(max_examples=8, deadline=None)
def test_shift_scale_and_sign_of_columns_do_not_matter(
    seed: int, scales: list[float], shift: float
) -> None:
    x, y = normals(200, 2, seed)
    moved = x * np.array(scales) * np.array([1, -1]) + shift
    for name in DIRECT:
        value = build_estimator(name).estimate(x, y).value
        assert build_estimator(name).estimate(moved, y).value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", DIRECT)
def test_increasing_maps_of_columns_do_not_matter_by_ranks(name: str) -> None:
    x, y = normals(400, 2, seed=6)
    estimator = build_estimator(name, margins="rank")
    value = estimator.estimate(x, y).value
    mapped = estimator.estimate(standard_normal.cdf(x), np.exp(y)).value
    assert mapped == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("norm", ["max", "euclidean"])
def test_smooth_invertible_maps_hardly_matter(norm: str) -> None:
    x, y = normals(4000, 1, seed=7)
    estimator = KSG(KSGConfig(norm=norm))  # type: ignore[arg-type]
    plain, mapped = estimator.estimate(x, y), estimator.estimate(np.arctan(x), y**3 + y)
    assert abs(plain.value - mapped.value) < plain.std_error


@given(st.integers(0, 10**6), st.integers(60, 300), st.integers(1, 3), st.floats(0.0, 0.95))
@settings(max_examples=25, deadline=None)
def test_never_far_below_zero_and_never_above_what_samples_can_hold(
    seed: int, samples: int, dims: int, rho: float
) -> None:
    x, y = normals(samples, dims, seed, rho)
    found = build_estimator("ksg").estimate(x, y)
    assert -4 * found.std_error - 0.05 < found.value < digamma(samples) - digamma(3) + 2


def test_independence_gives_zero_over_seeds() -> None:
    for name in DIRECT:
        estimator = build_estimator(name)
        values = [estimator.estimate(*normals(600, 2, seed, rho=0.0)).value for seed in range(12)]
        assert abs(np.mean(values)) < 4 * np.std(values, ddof=1) / math.sqrt(12) + 0.02


def test_processing_loses_information_along_a_markov_chain() -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((4000, 2))
    y = x + 0.5 * rng.standard_normal((4000, 2))
    z = np.tanh(y) + 0.5 * rng.standard_normal((4000, 2))
    for name in DIRECT:
        estimator = build_estimator(name)
        near, far = estimator.estimate(x, y), estimator.estimate(x, z)
        assert far.value < near.value + 2 * (near.std_error + far.std_error)
        assert far.value > 0.2


def test_standard_errors_have_the_size_of_the_spread_over_samples() -> None:
    found = [build_estimator("ksg").estimate(*normals(800, 1, seed)) for seed in range(40)]
    spread = np.std([each.value for each in found], ddof=1)
    assert 0.6 < np.mean([each.std_error for each in found]) / spread < 1.8


@pytest.mark.parametrize("name", DIRECT)
def test_float32_and_tensors_give_the_same(name: str) -> None:
    x, y = normals(300, 2, seed=9)
    single = build_estimator(name).estimate(x.astype(np.float32), y.astype(np.float32)).value
    tensors = build_estimator(name).estimate(torch.tensor(x), torch.tensor(y)).value
    assert tensors == build_estimator(name).estimate(x, y).value
    assert single == pytest.approx(tensors, abs=1e-4)


@pytest.mark.parametrize("name", [*DIRECT, "sliced"])
def test_too_few_samples_and_bad_settings_are_refused(name: str) -> None:
    x, y = normals(6)
    with pytest.raises(ValueError, match="at least 7 are needed"):
        build_estimator(name, k=6).estimate(x, y)
    with pytest.raises(ValueError, match="at least 1"):
        build_estimator(name, k=0)
    with pytest.raises((ValueError, TypeError), match="margins"):
        build_estimator(name, k=2, margins="copula").estimate(x, y)
    with pytest.raises(ValueError, match="4 samples are too few: at least 5"):
        entropy_kl(x[:4], 4)


def test_equal_samples_are_warned_of() -> None:
    x, y = normals(300, 2, seed=10)
    for name in DIRECT:
        with pytest.warns(TiedSamplesWarning, match=r"2 pairs \(x, y\) are equal"):
            build_estimator(name, k=20).estimate(np.vstack([x, x[:1]]), np.vstack([y, y[:1]]))
        with pytest.warns(TiedSamplesWarning, match="samples of y are equal"):
            build_estimator(name, k=20).estimate(x, np.repeat(y[:100], 3, axis=0))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            build_estimator(name).estimate(x, y)


def test_infinite_densities_are_refused() -> None:
    x = np.repeat(normals(50)[0], 4, axis=0)
    with pytest.raises(ValueError, match="density would be infinite"):
        entropy_kl(x, 3)
    assert math.isfinite(entropy_kl(x, 4).value)


@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=50, deadline=None)
def test_ties_are_counted_as_pairwise_comparison_counts_them(
    seed: int, samples: int, dims: int, decimals: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(samples, dims)).round(decimals)
    equal = (points[:, None] == points[None]).all(axis=-1)
    assert count_tied(points) == (equal.sum(axis=1) > 1).sum()
