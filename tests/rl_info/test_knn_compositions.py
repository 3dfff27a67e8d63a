"""Sliced, compressed, composed and particle measures, which stand on neighbour searches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rl_info.estimators import build_estimator
from rl_info.estimators.compositions import (
    conditional_information,
    dual_total_correlation,
    total_correlation,
)
from rl_info.estimators.compressors import COMPRESSORS, CompressorSettings
from rl_info.estimators.particles import particle_entropy, particle_rewards
from rl_info.estimators.sliced import random_frame


def chain(samples: int, seed: int = 0):
    """X → Z → Y, all normal with correlation ρ = .8 of neighbours."""
    x, a, b = np.random.default_rng(seed).standard_normal((3, samples, 1))
    z = 0.8 * x + 0.6 * a
    return x, z, 0.8 * z + 0.6 * b


def gaussian_information(rho: float) -> float:
    return -0.5 * math.log(1 - rho**2)


def test_conditional_information_of_a_markov_chain_is_zero_given_the_middle() -> None:
    x, z, y = chain(3000)
    separated = conditional_information(x, y, z)
    assert abs(separated.value) < 3 * separated.std_error
    assert separated.bound == "none"
    # I(X;Z|Y) = I(X;Z) − I(X;Y), as X → Z → Y.
    truth = gaussian_information(0.8) - gaussian_information(0.64)
    found = conditional_information(x, z, y, estimator="cca")
    assert found.value == pytest.approx(truth, abs=4 * found.std_error)
    assert conditional_information(x, z, y).value == pytest.approx(truth, abs=0.08)


def test_conditional_information_sees_exclusive_or() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 3000, 1))
    c = np.abs(rng.standard_normal((3000, 1))) * np.sign(a * b)
    alone = build_estimator("ksg").estimate(a, c)
    assert abs(alone.value) < 4 * alone.std_error
    assert conditional_information(a, c, b).value == pytest.approx(math.log(2), abs=0.12)


def test_total_and_dual_total_correlation_of_normals() -> None:
    covariance = np.array([[1, 0.6, 0.3], [0.6, 1, 0.5], [0.3, 0.5, 1]])
    rng = np.random.default_rng(2)
    samples = rng.multivariate_normal(np.zeros(3), covariance, size=4000)
    columns = [samples[:, [i]] for i in range(3)]
    total = -0.5 * math.log(np.linalg.det(covariance))
    precision = np.linalg.inv(covariance)
    # h(X) − Σ h(X_i | rest), with conditional variances 1 / precision_ii.
    dual = 0.5 * (math.log(np.linalg.det(covariance)) + np.log(np.diag(precision)).sum())
    for name in ("cca", "ksg"):
        found = total_correlation(*columns, estimator=name)
        assert found.value == pytest.approx(total, abs=3 * found.std_error + 0.01)
        found = dual_total_correlation(*columns, estimator=name)
        assert found.value == pytest.approx(dual, abs=3 * found.std_error + 0.01)
        assert found.bound == "none"


def test_compositions_of_two_variables_are_their_information() -> None:
    x, _, y = chain(400)
    value = build_estimator("ksg").estimate(x, y).value
    assert total_correlation(y, x).value == pytest.approx(value, abs=1e-12)
    assert dual_total_correlation(x, y).value == pytest.approx(value, abs=1e-12)


def test_compositions_take_any_estimator_and_keep_a_bound_only_where_sums_do() -> None:
    x, z, y = chain(300)
    columns = [np.hstack([each, each[::-1]]) for each in (x, z, y)]
    found = total_correlation(*columns, estimator="sliced", projections=3, seed=4)
    assert found.bound == "lower"
    again = total_correlation(
        *columns, estimator=lambda: build_estimator("sliced", projections=3, seed=4)
    )
    assert again == found
    assert dual_total_correlation(*columns, estimator="sliced", projections=3).bound == "none"
    with pytest.raises(TypeError, match="settings go with a registered name"):
        total_correlation(x, y, estimator=lambda: build_estimator("ksg"), k=4)


def test_compositions_refuse_what_they_cannot_compose() -> None:
    x, z, y = chain(50)
    with pytest.raises(ValueError, match="two variables or more, got 1"):
        total_correlation(x)
    with pytest.raises(ValueError, match="lengths differ: x 50, y 49, given 50"):
        conditional_information(x, y[:-1], z)
    with pytest.raises(ValueError, match=r"given\[3, 0\] is nan"):
        conditional_information(x, y, np.where(np.arange(50)[:, None] == 3, np.nan, z))


def test_frames_are_orthonormal_and_of_no_preferred_direction() -> None:
    rng = np.random.default_rng(3)
    frames = np.stack([random_frame(4, 2, rng) for _ in range(2000)])
    np.testing.assert_allclose(
        frames.transpose(0, 2, 1) @ frames, np.broadcast_to(np.eye(2), (2000, 2, 2)), atol=1e-12
    )
    assert np.abs(frames.mean(axis=0)).max() < 5 * 0.5 / math.sqrt(2000)
    np.testing.assert_allclose((frames**2).mean(axis=0), 0.25, atol=0.03)


def test_sliced_information_equals_the_mean_over_random_directions() -> None:
    rng = np.random.default_rng(4)
    x, noise = rng.standard_normal((2, 1500, 3))
    y = 0.8 * x + 0.6 * noise
    directions = rng.standard_normal((2, 100_000, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    correlations = 0.8 * (directions[0] * directions[1]).sum(axis=-1)
    truth = -0.5 * np.log(1 - correlations**2).mean()
    found = build_estimator("sliced", projections=60).estimate(x, y)
    assert found.value == pytest.approx(truth, abs=3 * found.std_error)
    assert found.value < 3 * gaussian_information(0.8)


def test_slices_as_wide_as_the_samples_only_turn_them() -> None:
    x, noise = np.random.default_rng(4).standard_normal((2, 300, 3))
    y = 0.8 * x + 0.6 * noise
    whole = build_estimator("sliced", projections=2, slice_dims=3).estimate(x, y)
    assert whole.value == pytest.approx(build_estimator("ksg").estimate(x, y).value, abs=1e-9)


def test_sliced_refuses_slices_wider_than_the_samples() -> None:
    x, _, y = chain(50)
    with pytest.raises(ValueError, match="lower slice_dims"):
        build_estimator("sliced", slice_dims=2).estimate(x, y)
    with pytest.raises(ValueError, match="projections must be at least 2"):
        build_estimator("sliced", projections=1)


def embedded(samples: int, seed: int = 5):
    """Two correlated columns, curved and mixed into 30, with little noise."""
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, samples, 2))
    y = 0.9 * x + math.sqrt(1 - 0.81) * noise
    mix = rng.standard_normal((4, 30))
    lifted = [np.hstack([v, np.tanh(v)]) @ mix for v in (x, y)]
    return [v + 0.01 * rng.standard_normal(v.shape) for v in lifted]


@pytest.mark.parametrize("compression", list(COMPRESSORS))
def test_codes_keep_the_information_of_a_curved_surface(compression: str) -> None:
    x, y = embedded(2500)
    estimator = build_estimator(
        "compressed", compression=compression, dims=3, steps=100, hidden_dim=32
    )
    found = estimator.fit_estimate(x, y)
    truth = 2 * gaussian_information(0.9)
    assert found.bound == "lower"
    assert found.value < truth + 3 * found.std_error
    assert found.value > 0.7 * truth


def test_principal_components_are_those_of_a_decomposition() -> None:
    x = torch.tensor(embedded(200)[0])
    settings = CompressorSettings(2, 1, 1, 1, 1e-3)
    code = COMPRESSORS["pca"](x, settings, torch.Generator())(x)
    standard = (x - x.mean(0)) / x.std(0, correction=0)
    u, s, _ = torch.linalg.svd(standard, full_matrices=False)
    torch.testing.assert_close(code.abs(), (u[:, :2] * s[:2]).abs())


def test_an_autoencoder_learns() -> None:
    x = torch.tensor(embedded(500)[0])

    def left_over(steps: int) -> float:
        settings = CompressorSettings(2, steps, 128, 32, 3e-3)
        code = COMPRESSORS["autoencoder"](x, settings, torch.Generator().manual_seed(0))(x)
        inputs = torch.cat([code, torch.ones(500, 1, dtype=code.dtype)], dim=1)
        restored = inputs @ torch.linalg.lstsq(inputs, x).solution
        return float((x - restored).square().mean() / x.var(dim=0).mean())

    assert left_over(300) < 0.5 * left_over(1)


def test_compressed_refuses_other_columns_and_unfitted_use() -> None:
    x, y = embedded(60)
    estimator = build_estimator("compressed")
    with pytest.raises(RuntimeError, match="fit the estimator"):
        estimator.estimate(x, y)
    estimator.fit(x, y)
    with pytest.raises(ValueError, match=r"fitted on samples with \(30, 30\) columns"):
        estimator.estimate(x[:, :3], y)
    with pytest.raises((ValueError, TypeError), match="compression"):
        build_estimator("compressed", compression="zip")


def test_particle_rewards_equal_a_slow_reference() -> None:
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distances = (points[:, None] - points[None]).norm(dim=-1)
    distances.fill_diagonal_(torch.inf)
    expected = (1 + distances.sort(dim=1).values[:, :5].mean(dim=1)).log()
    torch.testing.assert_close(particle_rewards(points, 5), expected)
    torch.testing.assert_close(particle_entropy(points, 5), expected.mean())
    # Asked about others, a point that is among them finds itself.
    to_all = (1 + distances.fill_diagonal_(0).sort(dim=1).values[:, :5].mean(dim=1)).log()
    torch.testing.assert_close(particle_rewards(points, 5, others=points), to_all)


def test_particle_entropy_has_the_gradient_of_finite_differences() -> None:
    points = torch.randn(12, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    points.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: particle_entropy(p, 3), (points,))


def test_particle_entropy_grows_with_spread_and_stays_finite_on_duplicates() -> None:
    points = torch.randn(50, 4, generator=torch.Generator().manual_seed(2))
    assert particle_entropy(3 * points) > particle_entropy(points)
    same = points.new_zeros(20, 4).requires_grad_()
    particle_entropy(same, 3).backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()
    with pytest.raises(ValueError, match="12 neighbours asked for, and each point has 11"):
        particle_entropy(points[:12])
