"""Information of a label and a vector: against the definition, integrals and tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import digamma

from rl_info.estimators.mixed_neighbours import label_information


def by_definition(labels: np.ndarray, y: np.ndarray, k: int) -> float:
    """The formula with all distances in one matrix."""
    distance = np.linalg.norm(y[:, None] - y[None], axis=-1)
    total = 0.0
    for i, label in enumerate(labels):
        own = np.flatnonzero(labels == label)
        others = own[own != i]
        rank = min(k, len(others))
        radius = np.sort(distance[i, others])[rank - 1]
        m = (np.delete(distance[i], i) <= radius).sum()
        total += digamma(len(y)) - digamma(len(own)) + digamma(rank) - digamma(m)
    return total / len(y)


@pytest.mark.parametrize("dims", [1, 3])
@pytest.mark.parametrize("k", [1, 3, 7])
def test_it_is_the_published_formula(dims, k):
    random = np.random.default_rng(0)
    # A label of four samples has fewer neighbours than 7.
    labels = np.repeat([0, 3, 5], [40, 4, 70])
    y = random.normal(size=(len(labels), dims)) + 0.5 * labels[:, None]
    assert label_information(labels, y, k).mean() == pytest.approx(by_definition(labels, y, k))


@pytest.mark.parametrize("distance", [0.5, 2.0, 4.0])
def test_two_normals_apart_have_the_information_of_the_integral(distance):
    def density(at):
        first, second = stats.norm.pdf(at), stats.norm.pdf(at, distance)
        both = (first + second) / 2
        return sum(part / 2 * math.log(part / both) for part in (first, second))

    truth = integrate.quad(density, -9, 13)[0]
    random = np.random.default_rng(1)
    labels = np.arange(4000) % 2
    y = random.normal(size=4000) + distance * labels
    assert label_information(labels, y[:, None]).mean() == pytest.approx(truth, abs=0.03)


def test_it_is_unbiased_without_dependence():
    random = np.random.default_rng(2)
    labels = np.arange(256) % 16
    values = [label_information(labels, random.normal(size=(256, 2))).mean() for _ in range(80)]
    assert abs(np.mean(values)) < 3.5 * np.std(values) / math.sqrt(80)


def test_labels_told_apart_reach_the_entropy_and_no_more():
    labels = np.arange(160) % 8
    y = 10.0 * labels[:, None] + np.random.default_rng(3).normal(size=(160, 2))
    value = label_information(labels, y).mean()
    assert value == pytest.approx(math.log(8) + 7 / 320, abs=1e-3)


def test_atoms_give_the_counts_of_a_table():
    random = np.random.default_rng(4)
    labels = np.repeat(np.arange(4), 500)
    y = (random.random(2000) < 0.2 + 0.2 * labels).astype(np.float64)
    table = np.array([[((labels == i) & (y == j)).mean() for j in (0, 1)] for i in range(4)])
    outer = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    truth = (table * np.log(table / outer)).sum()
    assert label_information(labels, y[:, None]).mean() == pytest.approx(truth, abs=3e-3)


def test_a_constant_says_nothing():
    assert label_information(np.arange(60) % 3, np.ones((60, 2))).mean() == pytest.approx(0.0)


def test_what_cannot_be_used_is_named():
    y = np.zeros((6, 1))
    with pytest.raises(ValueError, match="5 labels for 6 samples"):
        label_information(np.arange(5) % 2, y)
    with pytest.raises(ValueError, match="two samples or more"):
        label_information(np.array([0, 0, 0, 1, 1, 2]), y)
    with pytest.raises(ValueError, match="at least 1 neighbour"):
        label_information(np.arange(6) % 2, y, k=0)
    with pytest.raises(ValueError, match="not finite"):
        label_information(np.arange(6) % 2, y + np.nan)
