"""Joint distributions of known information: their truths and their samplers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from rl_info.distributions import (
    TASKS,
    AdditiveUniform,
    DensityRatio,
    Normal,
    Student,
    Transformed,
    correlated_normal,
)
from rl_info.distributions.covariances import dense, equal_pairs, factors, latent, paired, two_pairs
from rl_info.distributions.embeddings import spiral, swiss_roll
from rl_info.distributions.irrelevant import IrrelevantColumns
from rl_info.distributions.mixture import (
    NormalComponent,
    NormalMixture,
    clustered_normals,
    crossed_normals,
)
from rl_info.distributions.student import tail_information
from rl_info.distributions.transforms import asinh, bimodal, half_cube, normal_cdf, wiggly
from rl_info.distributions.uniform import noise_for_information

TRUTHS = {
    "normal-1x1": 0.4133,
    "normal-cdf-1x1": 0.4133,
    "half-cube-1x1": 0.4133,
    "wiggly-1x1": 0.4133,
    "bimodal-1x1": 0.4133,
    "swiss-roll-2x1": 0.4133,
    "uniform-0.1-1x1": 1.7094,
    "uniform-0.75-1x1": 0.3333,
    "student-1-1x1": 0.2242,
    "asinh-student-1-1x1": 0.2242,
    "student-1-2x2": 0.4319,
    "student-2-2x2": 0.1931,
    "student-2-3x3": 0.2909,
    "student-2-5x5": 0.4482,
    "student-3-3x3": 0.1787,
    "student-3-5x5": 0.2985,
    "normal-dense-2x2": 0.2939,
    "normal-dense-3x3": 0.4133,
    "normal-dense-5x5": 0.5928,
    "normal-dense-25x25": 1.2922,
    "normal-dense-50x50": 1.6243,
}


def generator(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_published_truths_are_reproduced() -> None:
    for name, truth in TRUTHS.items():
        assert TASKS[name].information == pytest.approx(truth, abs=1e-4), name


def test_every_two_pair_task_has_one_truth() -> None:
    names = [name for name in TASKS if "2pair" in name]
    assert len(names) > 8
    for name in names:
        assert TASKS[name].information == pytest.approx(1.0217, abs=1e-4), name


@pytest.mark.parametrize("name", TASKS)
def test_samples_fit_the_task_and_the_seed(name: str) -> None:
    task = TASKS[name]
    x, y = task.sample(64, generator())
    again = task.sample(64, generator())
    other = task.sample(64, generator(8))
    assert x.dtype == y.dtype == torch.float32
    assert (x.shape[1], y.shape[1]) == task.dims
    assert x.isfinite().all()
    assert y.isfinite().all()
    assert torch.equal(x, again[0])
    assert torch.equal(y, again[1])
    assert not torch.equal(x, other[0])


LATENT = latent(
    torch.tensor([[1.0, 0.0], [0.5, 0.3]]), torch.tensor([[0.8, 0.1], [0.0, 2.0]]), noise=0.7
)
WITH_DENSITY: dict[str, DensityRatio] = {
    "pair": Normal(paired(1, 1, [0.75]), 1),
    "dense": Normal(dense(2, 3), 2),
    "two pairs": Normal(two_pairs(4, 3), 4),
    "latent": Normal(LATENT, 2),
    "student-1": Student(torch.eye(4, dtype=torch.float64), 2, 1.0),
    "student-2.5": Student(dense(2, 3, 0.4), 2, 2.5),
    "student-3 pairs": Student(two_pairs(3, 3), 3, 3.0),
    "uniform .1": AdditiveUniform(0.1),
    "uniform .75": AdditiveUniform(0.75, dims=2),
    "uniform mixed": AdditiveUniform((0.3, 1.5), dims=2),
    "crossed": crossed_normals(0.8),
    "clustered": clustered_normals(),
    "factors": Normal(factors(3, 2, 1, everywhere=0.5, within=0.4, between=1.0, alone=0.7), 3),
}


@pytest.mark.parametrize("name", WITH_DENSITY)
def test_mean_log_ratio_of_draws_is_the_truth(name: str) -> None:
    distribution = WITH_DENSITY[name]
    ratio = distribution.log_ratio(*distribution.sample(60_000, generator()))
    error = float(ratio.std()) / math.sqrt(len(ratio))
    assert error < 0.01
    assert float(ratio.mean()) == pytest.approx(distribution.information, abs=4 * error)


@pytest.mark.parametrize("name", WITH_DENSITY)
def test_density_ratio_integrates_to_one_over_independent_draws(name: str) -> None:
    distribution = WITH_DENSITY[name]
    x, _ = distribution.sample(200_000, generator())
    _, y = distribution.sample(200_000, generator(8))
    density = distribution.log_ratio(x, y).exp()
    error = float(density.std()) / math.sqrt(len(density))
    assert error < 0.05
    assert float(density.mean()) == pytest.approx(1.0, abs=5 * error)


def test_student_density_matches_scipy() -> None:
    matrix = dense(2, 1, 0.4)
    distribution = Student(matrix, 2, 2.5)
    x, y = distribution.sample(50, generator())
    joint, shape = torch.cat([x, y], dim=1).numpy(), matrix.numpy()
    expected = (
        stats.multivariate_t(shape=shape, df=2.5).logpdf(joint)
        - stats.multivariate_t(shape=shape[:2, :2], df=2.5).logpdf(joint[:, :2])
        - stats.multivariate_t(shape=shape[2:, 2:], df=2.5).logpdf(joint[:, 2:])
    )
    np.testing.assert_allclose(distribution.log_ratio(x, y).numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("freedom", [1.0, 2.5, 5.0])
def test_student_marginals_match_scipy(freedom: float) -> None:
    x, _ = Student(dense(1, 1), 1, freedom).sample(20_000, generator())
    assert stats.kstest(x[:, 0].numpy(), stats.t(freedom).cdf).pvalue > 1e-3


def test_normal_draws_have_the_covariance() -> None:
    x, y = Normal(LATENT, 2).sample(200_000, generator())
    sample = torch.cov(torch.cat([x, y], dim=1).T)
    torch.testing.assert_close(sample, LATENT, atol=0.06, rtol=0)


def test_correlated_normal_carries_what_was_asked() -> None:
    for information in (0.0, 2.0, 10.0):
        task = correlated_normal(20, information)
        assert task.information == pytest.approx(information, abs=1e-10)
        assert task.dims == (20, 20)


@pytest.mark.parametrize("information", [0.01, 0.3333, 0.5, 0.7, 1.7094, 6.0, 20.0])
def test_noise_is_found_for_any_information(information: float) -> None:
    noise = noise_for_information(information)
    assert AdditiveUniform(noise).information == pytest.approx(information, rel=1e-12)


def test_tails_tell_nothing_as_student_becomes_normal() -> None:
    assert tail_information(2, 3, 1e6) == pytest.approx(0.0, abs=1e-5)
    assert tail_information(1, 1, 1.0) > tail_information(1, 1, 2.0) > 0


@pytest.mark.parametrize("transform", [normal_cdf, half_cube, asinh, wiggly, bimodal])
def test_maps_of_coordinates_increase(transform) -> None:
    line = torch.linspace(-6, 6, 4001, dtype=torch.float64)[:, None]
    assert (transform(line).diff(dim=0) > 0).all()


def test_bimodal_has_the_mixture_distribution() -> None:
    draws = bimodal(torch.randn(20_000, 1, generator=generator(), dtype=torch.float64))[:, 0]

    def mixture(value: np.ndarray) -> np.ndarray:
        return 0.3 * stats.norm(0, 0.5).cdf(value) + 0.7 * stats.norm(5, 1).cdf(value)

    assert stats.kstest(draws.numpy(), mixture).pvalue > 1e-3
    between = ((draws > 1.5) & (draws < 2.5)).double().mean()
    assert between < 0.02


def test_swiss_roll_is_injective() -> None:
    line = torch.linspace(0, 1, 500, dtype=torch.float64)[:, None]
    apart = torch.cdist(swiss_roll(line), swiss_roll(line))
    distant = (line - line.T).abs() > 0.05
    assert apart[distant].min() > 0.05


def test_spiral_keeps_lengths_and_can_be_undone() -> None:
    points = torch.randn(50, 4, generator=generator(), dtype=torch.float64)
    turned = spiral(points, speed=0.6)
    torch.testing.assert_close(turned.norm(dim=1), points.norm(dim=1))
    torch.testing.assert_close(spiral(turned, speed=-0.6), points)
    assert not torch.allclose(turned, points)


def test_transforms_change_samples_and_not_the_truth() -> None:
    base = Normal(two_pairs(2, 2), 2)
    through = Transformed(base, half_cube, wiggly)
    x, y = base.sample(10, generator())
    mapped = through.sample(10, generator())
    torch.testing.assert_close(mapped[0], half_cube(x))
    torch.testing.assert_close(mapped[1], wiggly(y))
    assert through.information == base.information


def test_factor_model_has_the_two_pair_truth_as_a_special_case() -> None:
    # Loading 2 between partners gives each pair the correlation 4 / (1 + 4).
    matrix = factors(4, 3, 2, everywhere=0.0, within=0.0, between=2.0, alone=2.0)
    torch.testing.assert_close(matrix, two_pairs(4, 3, 0.8))


def test_mixture_of_one_normal_has_its_closed_form() -> None:
    alone = NormalMixture([NormalComponent(1.0, (3.0, -2.0), (0.5, 4.0), 0.75)])
    assert alone.information == pytest.approx(-0.5 * math.log(1 - 0.75**2), abs=1e-9)
    x, y = crossed_normals().sample(50_000, generator())
    assert abs(float(torch.corrcoef(torch.cat([x, y], dim=1).T)[0, 1])) < 0.03
    assert crossed_normals().information > 0.3
    with pytest.raises(ValueError, match="sum to 1"):
        NormalMixture([NormalComponent(0.5)])


def test_irrelevant_columns_add_nothing() -> None:
    base = AdditiveUniform(0.3)
    wide = IrrelevantColumns(base, 3, 2)
    x, y = wide.sample(4000, generator())
    assert (x.shape[1], y.shape[1]) == (3, 2)
    torch.testing.assert_close(x[:, :1], base.sample(4000, generator())[0])
    assert wide.information == base.information
    others = torch.corrcoef(torch.cat([x, y], dim=1).T)[[1, 2, 4]]
    assert (others.abs() > 0.08).sum() == 3
    with pytest.raises(ValueError, match="fewer than"):
        IrrelevantColumns(base, 1, 0)


def test_bad_settings_are_named() -> None:
    identity = torch.eye(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="positive definite"):
        Normal(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), 1)
    with pytest.raises(ValueError, match="symmetric"):
        Normal(torch.tensor([[1.0, 0.5], [0.0, 1.0]]), 1)
    with pytest.raises(ValueError, match="x_dims"):
        Normal(identity, 2)
    with pytest.raises(ValueError, match="degrees_of_freedom"):
        Student(identity, 1, 0.0)
    with pytest.raises(ValueError, match="noise"):
        AdditiveUniform(0.0)
    with pytest.raises(ValueError, match="values of noise"):
        AdditiveUniform((0.1, 0.2), dims=3)
    with pytest.raises(ValueError, match="pairs must"):
        factors(2, 3, 3, everywhere=0.0, within=0.0, between=1.0, alone=1.0)
    with pytest.raises(ValueError, match="between -1 and 1"):
        paired(1, 1, [1.0])
    with pytest.raises(ValueError, match="pairs need"):
        paired(1, 2, [0.5, 0.5])
    with pytest.raises(ValueError, match="negative"):
        equal_pairs(2, -1.0)
    with pytest.raises(ValueError, match="two dimensions"):
        spiral(torch.zeros(3, 1))
