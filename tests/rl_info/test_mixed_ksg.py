"""KSG for values that repeat, against closed forms of discrete and continuous mixtures."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import digamma

from rl_info.estimators import KSG, KSGConfig, MixedKSG, MixedKSGConfig, mutual_information
from rl_info.estimators.inputs import EstimatorWarning, TiedSamplesWarning
from rl_info.estimators.mixed_ksg import local_mixed


def by_definition(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Algorithm 1 with all distances in two matrices of the max-norm."""
    apart = [np.abs(part[:, None] - part[None]).max(axis=-1) for part in (x, y)]
    joint = np.maximum(*apart)
    total = 0.0
    for i in range(len(x)):
        radius = np.sort(np.delete(joint[i], i))[k - 1]
        near = [(each[i] == 0 if radius == 0 else each[i] < radius).sum() for each in apart]
        nearest = (joint[i] == 0).sum() if radius == 0 else k
        total += digamma(nearest) + math.log(len(x)) - digamma(near[0]) - digamma(near[1])
    return total / len(x)


def zero_inflated(n: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    x = random.exponential(size=n)
    return x, random.poisson(x) * (random.random(n) >= share).astype(float)


def information_of_zero_inflated(share: float) -> float:
    """H(Y) − H(Y|X), where Y = 0 comes from the inflation as well as from Poisson's law."""
    counts = np.arange(80)

    def entropy(p: np.ndarray) -> float:
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())

    marginal = (1 - share) * 0.5 ** (counts + 1.0)
    marginal[0] += share

    def given(x: float) -> float:
        law = (1 - share) * stats.poisson.pmf(counts, x)
        law[0] += share
        return entropy(law) * math.exp(-x)

    return entropy(marginal) - integrate.quad(given, 0, 40, limit=200)[0]


@pytest.mark.parametrize("k", [1, 3, 6])
def test_it_is_the_published_algorithm(k):
    random = np.random.default_rng(0)
    x = np.column_stack([random.integers(0, 3, 90), random.integers(0, 2, 90)]).astype(float)
    y = np.where(random.random(90) < 0.5, 0.0, random.normal(size=90) + x[:, 0])[:, None]
    assert local_mixed(x, y, k).mean() == pytest.approx(by_definition(x, y, k), abs=1e-12)


@pytest.mark.parametrize("labels", [2, 5, 10])
def test_a_label_and_a_measurement_have_their_closed_form(labels):
    random = np.random.default_rng(labels)
    x = random.integers(0, labels, 4000).astype(float)
    found = MixedKSG().estimate(x, x + random.uniform(0, 2, 4000))
    truth = math.log(labels) - (labels - 1) * math.log(2) / labels
    assert found.value == pytest.approx(truth, abs=0.02 + 3 * found.std_error)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_zero_inflated_counts_have_the_information_of_the_sum(share):
    found = MixedKSG().estimate(*zero_inflated(6000, share))
    truth = information_of_zero_inflated(share)
    if share == 0:
        # The published closed form: 2 ln 2 − γ − Σ ln k / 2ᵏ.
        sums = sum(math.log(k) * 0.5**k for k in range(1, 80))
        assert truth == pytest.approx(2 * math.log(2) - np.euler_gamma - sums, abs=1e-6)
    assert found.value == pytest.approx(truth, abs=0.02 + 3 * found.std_error)


def test_without_repeats_it_is_ksg_and_of_repeats_alone_a_table():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 500, 2))
    plain = KSG(KSGConfig(k=4)).estimate(x, x + y).value
    mixed = MixedKSG(MixedKSGConfig(k=4)).estimate(x, x + y).value
    assert mixed == pytest.approx(plain + math.log(500) - digamma(500), abs=1e-10)
    labels = np.repeat(np.arange(4.0), 1000)
    assert MixedKSG().estimate(labels, labels % 2).value == pytest.approx(math.log(2), abs=1e-3)


def test_repeats_are_not_warned_of_and_others_name_it_as_the_fix():
    x, y = zero_inflated(500, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", EstimatorWarning)
        MixedKSG().estimate(x, y)
    with pytest.warns(EstimatorWarning, match="mixed_ksg"):
        mutual_information(x, y, "ksg")
    x, y = np.random.default_rng(0).normal(size=(2, 200)).repeat(2, axis=1)
    with pytest.warns(TiedSamplesWarning, match="mixed_ksg"):
        KSG().estimate(x, y)
