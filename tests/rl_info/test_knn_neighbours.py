"""Neighbour searches against slow, obvious ones."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_info.estimators.neighbours import Norm, neighbour_distances, range_counts
from rl_info.estimators.neighbours.cells import CELL, sort_into_cells

NORMS: tuple[Norm, ...] = ("max", "euclidean")


def all_distances(points: np.ndarray, norm: Norm) -> np.ndarray:
    """Distances of all pairs in float64; a point is infinitely far from itself."""
    gaps = np.abs(points[:, None].astype(np.float64) - points[None].astype(np.float64))
    distances = gaps.max(axis=-1) if norm == "max" else np.sqrt((gaps**2).sum(axis=-1))
    np.fill_diagonal(distances, np.inf)
    return distances


def clouds(samples: int, dims: int, seed: int) -> np.ndarray:
    """Points of very different density, along a curve and around it."""
    rng = np.random.default_rng(seed)
    centre = np.sin(rng.uniform(0, 6, size=(samples, 1)) * np.arange(1, dims + 1))
    return centre + rng.standard_t(2, size=(samples, dims)) * 10.0 ** -rng.integers(0, 4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dims", [1, 2, 3, 5, 8, 17, 40])
@pytest.mark.parametrize("samples", [2, CELL, CELL + 1, 700])
def test_searches_equal_the_slow_ones(samples: int, dims: int, norm: Norm) -> None:
    points = clouds(samples, dims, seed=samples + dims)
    k = min(7, samples - 1)
    slow = all_distances(points, norm)
    found = neighbour_distances(points, k, norm)
    np.testing.assert_allclose(found, np.sort(slow, axis=1)[:, :k], rtol=1e-14, atol=1e-13)
    radii = found[:, -1] * np.random.default_rng(0).uniform(0.5, 4.0, size=samples)
    expected = (slow < radii[:, None]).sum(axis=1)
    np.testing.assert_array_equal(range_counts(points, radii, norm), expected)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dims", [1, 2, 6])
def test_a_point_at_the_radius_is_not_counted(dims: int, norm: Norm) -> None:
    points = clouds(500, dims, seed=1)
    distances = neighbour_distances(points, 6, norm)
    for k in range(6):
        counts = range_counts(points, distances[:, k], norm)
        np.testing.assert_array_equal(counts, np.full(500, k))


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_duplicates_are_neighbours_at_distance_zero(dims: int) -> None:
    points = np.repeat(clouds(90, dims, seed=2), 3, axis=0)
    for norm in NORMS:
        slow = all_distances(points, norm)
        found = neighbour_distances(points, 4, norm)
        assert (found[:, :2] == 0).all()
        assert (found[:, 2:] > 0).all()
        np.testing.assert_allclose(found, np.sort(slow, axis=1)[:, :4], atol=1e-14)
        np.testing.assert_array_equal(range_counts(points, found[:, 0], norm), np.zeros(270))
    radii = neighbour_distances(points, 4, "max")[:, 3]
    expected = (all_distances(points, "max") < radii[:, None]).sum(axis=1)
    np.testing.assert_array_equal(range_counts(points, radii, "max"), expected)


def test_float32_is_searched_in_float64() -> None:
    points = clouds(300, 3, seed=3).astype(np.float32)
    found = neighbour_distances(points, 3)
    np.testing.assert_array_equal(found, neighbour_distances(points.astype(np.float64), 3))
    np.testing.assert_array_equal(found, np.sort(all_distances(points, "max"), axis=1)[:, :3])


@pytest.mark.parametrize("norm", NORMS)
def test_the_number_of_threads_changes_no_bit(norm: Norm) -> None:
    points = clouds(1500, 4, seed=4)
    one = neighbour_distances(points, 5, norm, threads=1)
    radii = one[:, -1]
    counts = range_counts(points[:, :2], radii, norm, threads=1)
    for threads in (2, 5):
        np.testing.assert_array_equal(neighbour_distances(points, 5, norm, threads), one)
        found = range_counts(points[:, :2], radii, norm, threads)
        np.testing.assert_array_equal(found, counts)


@given(
    st.integers(2, 200),
    st.integers(1, 6),
    st.integers(0, 2**31),
    st.sampled_from(NORMS),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_any_shape_even_on_a_coarse_grid(
    samples: int, dims: int, seed: int, norm: Norm, decimals: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(samples, dims)).round(decimals)
    k = 1 + seed % min(9, samples - 1)
    slow = all_distances(points, norm)
    found = neighbour_distances(points, k, norm)
    np.testing.assert_allclose(found, np.sort(slow, axis=1)[:, :k], rtol=1e-14, atol=1e-14)
    # Half a step off the grid: a radius that rounding cannot put on the other side of a point.
    radii = found[:, -1] + 0.123456789 * 10.0**-decimals
    expected = (slow < radii[:, None]).sum(axis=1)
    np.testing.assert_array_equal(range_counts(points, radii, norm), expected)


@given(st.integers(1, 400), st.integers(1, 4), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_cells_hold_every_point_once_inside_their_box(samples: int, dims: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(samples, dims)).round(1)
    cells = sort_into_cells(points)
    assert sorted(cells.order) == list(range(samples))
    flat = cells.blocks.transpose(0, 2, 1).reshape(-1, dims)
    np.testing.assert_array_equal(flat[:samples], points[cells.order])
    assert np.isinf(flat[samples:]).all()
    inside = np.repeat(np.arange(cells.count), CELL)[:samples]
    assert (flat[:samples] >= cells.low.T[inside]).all()
    assert (flat[:samples] <= cells.high.T[inside]).all()


def test_memory_grows_with_the_samples_not_their_square() -> None:
    def peak(samples: int) -> int:
        points = clouds(samples, 6, seed=5)
        tracemalloc.start()
        radii = neighbour_distances(points, 3)[:, -1]
        range_counts(points[:, :3], radii)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(200)
    small, large = peak(2000), peak(16_000)
    assert large < 10 * small
    assert large < 16_000 * 6 * 8 * 8


def test_what_cannot_be_searched_is_refused() -> None:
    points = clouds(10, 2, seed=6)
    for k in (0, 10):
        with pytest.raises(ValueError, match="k must be at least 1 and below N"):
            neighbour_distances(points, k)
    with pytest.raises(ValueError, match="9 radii for 10 points"):
        range_counts(points, np.ones(9))
    with pytest.raises(ValueError, match="a radius is negative"):
        range_counts(points, np.full(10, -1.0))
    with pytest.raises(ValueError, match="threads must be at least 1"):
        neighbour_distances(points, 1, threads=0)
