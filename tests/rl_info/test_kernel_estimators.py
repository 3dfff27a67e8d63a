"""Information from correlations, ranks and kernels: closed forms, gradients, invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from rl_info.estimators import pairwise
from rl_info.estimators.cauchy_schwarz import (
    CauchySchwarz,
    CauchySchwarzConfig,
    cauchy_schwarz_information,
    silverman_bandwidth,
)
from rl_info.estimators.cca import (
    CCA,
    CCAConfig,
    gaussian_information,
    gaussian_information_of_covariance,
    normal_bias,
)
from rl_info.estimators.gaussian_copula import GaussianCopula
from rl_info.estimators.inputs import TiedSamplesWarning
from rl_info.estimators.normal_scores import normal_scores

SEEDS = st.integers(0, 2**31 - 1)


def normal_pair(samples, columns, correlation, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, columns, generator=generator, dtype=dtype)
    noise = torch.randn(samples, columns, generator=generator, dtype=dtype)
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def random_covariance(dim, seed):
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(dim, dim, generator=generator, dtype=torch.float64)
    return factor @ factor.T + 0.1 * torch.eye(dim, dtype=torch.float64)


def invertible(dim, generator):
    """A random map with singular values between 1/2 and 2."""
    left, _, right = torch.linalg.svd(
        torch.randn(dim, dim, generator=generator, dtype=torch.float64)
    )
    stretch = 2 ** (2 * torch.rand(dim, generator=generator, dtype=torch.float64) - 1)
    return left @ torch.diag(stretch) @ right


# Canonical correlations.


def test_one_column_each_is_the_formula_of_the_correlation():
    x, y = normal_pair(200, 1, 0.75)
    correlation = np.corrcoef(x[:, 0], y[:, 0])[0, 1]
    expected = -0.5 * math.log1p(-(correlation**2))
    assert gaussian_information(x, y).item() == pytest.approx(expected, abs=1e-10)


def test_many_columns_are_the_formula_of_the_canonical_correlations():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(80, 3, generator=generator, dtype=torch.float64)
    y = x[:, :2] + torch.randn(80, 2, generator=generator, dtype=torch.float64)
    covariance = np.cov(torch.cat([x, y], 1).T.numpy())
    cxx, cyy, cxy = covariance[:3, :3], covariance[3:, 3:], covariance[:3, 3:]
    squared = np.linalg.eigvals(np.linalg.solve(cxx, cxy) @ np.linalg.solve(cyy, cxy.T)).real
    expected = -0.5 * np.log1p(-np.sort(squared)[-2:]).sum()
    assert gaussian_information(x, y).item() == pytest.approx(expected, abs=1e-10)


def test_near_certainty_keeps_its_relative_precision():
    x = normal_pair(500, 1, 0.0)[0]
    y = x + 1e-6 * normal_pair(500, 1, 0.0, seed=1)[0]
    a, b = (side[:, 0].numpy().astype(np.longdouble) for side in (x, y))
    a, b = a - a.mean(), b - b.mean()
    unexplained = ((b - a * (a @ b) / (a @ a)) ** 2).sum() / (b @ b)
    expected = float(-0.5 * np.log(unexplained))
    assert expected > 13
    assert gaussian_information(x, y).item() == pytest.approx(expected, abs=1e-8)


@given(seed=SEEDS, x_dim=st.integers(1, 4), y_dim=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_information_of_a_covariance_is_the_ratio_of_determinants(seed, x_dim, y_dim):
    covariance = random_covariance(x_dim + y_dim, seed)
    expected = 0.5 * (
        covariance[:x_dim, :x_dim].logdet()
        + covariance[x_dim:, x_dim:].logdet()
        - covariance.logdet()
    )
    value = gaussian_information_of_covariance(covariance, x_dim)
    assert value.item() == pytest.approx(expected.item(), abs=1e-10)
    assert value >= -1e-12


def test_a_covariance_that_is_not_one_is_refused():
    with pytest.raises(ValueError, match="not positive definite"):
        gaussian_information_of_covariance(torch.ones(2, 2), 1)
    with pytest.raises(ValueError, match=r"x_dim must lie in 1\.\.1"):
        gaussian_information_of_covariance(torch.eye(2), 2)


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_no_step_of_a_normal_chain_creates_information(seed):
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(2, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    eye = torch.eye(2, dtype=torch.float64)
    y_given_x = torch.cat([eye, torch.zeros(2, 2, dtype=torch.float64)], 1)
    y_given_x = torch.cat([y_given_x, torch.cat([first, eye], 1)], 0)
    xy = y_given_x @ y_given_x.T
    to_z = torch.cat([torch.eye(4, dtype=torch.float64), torch.cat([0 * eye, second], 1)], 0)
    xyz = to_z @ xy @ to_z.T
    xyz[4:, 4:] += eye
    x_z = xyz[[0, 1, 4, 5]][:, [0, 1, 4, 5]]
    through = gaussian_information_of_covariance(x_z, 2)
    assert through <= gaussian_information_of_covariance(xyz[:4, :4], 2) + 1e-12
    assert through <= gaussian_information_of_covariance(xyz[2:, 2:], 2) + 1e-12


def test_gradient_of_the_normal_information():
    x, y = normal_pair(9, 2, 0.6)
    assert torch.autograd.gradcheck(gaussian_information, (x.requires_grad_(), y.requires_grad_()))
    covariance = random_covariance(4, 0).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda c: gaussian_information_of_covariance((c + c.T) / 2, 2), covariance
    )


def test_bias_correction_is_exact_for_few_normal_samples():
    truth = -math.log(1 - 0.5**2)
    raw, corrected = (
        torch.tensor(
            [
                CCA(CCAConfig(bias_correction=corrects))
                .estimate(*normal_pair(14, 2, 0.5, seed))
                .value
                for seed in range(300)
            ]
        )
        for corrects in (False, True)
    )
    error = raw.std().item() / math.sqrt(len(raw))
    assert abs(corrected.mean().item() - truth) < 4 * error
    assert raw.mean().item() - truth > 4 * error
    assert normal_bias(10_000, 2, 3) == pytest.approx(6 / 20_000, rel=0.01)


def test_standard_error_is_the_spread_over_draws_also_without_normality():
    def heavy(seed):
        x, y = normal_pair(400, 1, 0.7, seed)
        return x.sign() * x.abs() ** 1.5, y

    estimates = [CCA().estimate(*heavy(seed)) for seed in range(300)]
    spread = np.std([estimate.value for estimate in estimates])
    assert np.mean([estimate.std_error for estimate in estimates]) == pytest.approx(spread, rel=0.2)


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_canonical_correlations_ignore_invertible_maps_and_order(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    y = x[:, :2] + torch.randn(40, 2, generator=generator, dtype=torch.float64)
    plain = CCA().estimate(x, y)
    mapped = CCA().estimate(x @ invertible(3, generator) + 5, y @ invertible(2, generator) - 2)
    assert mapped.value == pytest.approx(plain.value, abs=1e-10)
    assert mapped.std_error == pytest.approx(plain.std_error, abs=1e-10)
    assert CCA().estimate(y, x).value == pytest.approx(plain.value, abs=1e-10)
    assert CCA(CCAConfig(bias_correction=False)).estimate(x, y).value >= 0


def test_collinear_columns_add_nothing():
    x, y = normal_pair(60, 2, 0.5)
    doubled = torch.cat([x, x.sum(1, keepdim=True)], 1)
    assert CCA().estimate(doubled, y).value == pytest.approx(CCA().estimate(x, y).value, abs=1e-10)


def test_a_shared_direction_is_refused_as_infinite():
    x, _ = normal_pair(50, 2, 0.5)
    with pytest.raises(ValueError, match="infinite"):
        CCA().estimate(x, x @ torch.ones(2, 1, dtype=x.dtype))


@pytest.mark.parametrize("estimator", [CCA, GaussianCopula])
def test_fewer_samples_than_columns_are_refused(estimator):
    x, y = normal_pair(5, 2, 0.5)
    with pytest.raises(ValueError, match="at least 6 are needed"):
        estimator().estimate(x, y)
    with pytest.raises(ValueError, match="always correlate perfectly"):
        gaussian_information(x[:4], y[:4])


# Normal copula.


def test_normal_scores_are_those_of_the_mean_ranks():
    x = torch.tensor([[3.0, 1.0], [1.0, 1.0], [2.0, 5.0], [7.0, 1.0]])
    expected = norm.ppf(rankdata(x.numpy(), axis=0) / 5)
    np.testing.assert_allclose(normal_scores(x, 0.0).numpy(), expected, atol=1e-12)


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_the_copula_ignores_rising_maps_of_each_column(seed):
    x, y = normal_pair(60, 2, 0.6, seed)
    warped = torch.stack([x[:, 0].exp(), x[:, 1] ** 3], 1)
    assert GaussianCopula().estimate(warped, y.sinh()) == GaussianCopula().estimate(x, y)


def test_the_copula_finds_what_warped_marginals_hide_from_correlations():
    x, y = normal_pair(5000, 1, 0.75)
    truth = -0.5 * math.log(1 - 0.75**2)
    estimate = GaussianCopula().estimate(x**5, y.exp())
    assert abs(estimate.value - truth) < 4 * estimate.std_error
    assert CCA().estimate(x**5, y.exp()).value < truth - 0.1


def test_ties_are_named():
    x, y = normal_pair(50, 1, 0.5)
    x[:25] = 0.0
    with pytest.warns(TiedSamplesWarning, match=r"x repeats values in column\(s\) \[0\]"):
        GaussianCopula().estimate(x, y)


@pytest.mark.parametrize("estimator", [CCA, GaussianCopula])
def test_a_circle_is_invisible_to_correlations(estimator):
    generator = torch.Generator().manual_seed(0)
    angle = 2 * math.pi * torch.rand(2000, 1, generator=generator, dtype=torch.float64)
    assert abs(estimator().estimate(angle.cos(), angle.sin()).value) < 0.01


# Cauchy–Schwarz.


def kernels(x, y):
    return (torch.exp(-(torch.cdist(side, side) ** 2) / 2) for side in (x, y))


def test_published_sums_are_reproduced():
    x, y = normal_pair(30, 2, 0.5)
    kx, ky = kernels(x, y)
    expected = (
        (kx * ky).mean().log()
        + (kx.sum() * ky.sum() / 30**4).log()
        - 2 * ((kx @ ky).sum() / 30**3).log()
    )
    torch.testing.assert_close(cauchy_schwarz_information(x, y), expected, atol=1e-12, rtol=0)


def test_sums_without_repeated_indices_are_the_triple_loop():
    x, y = normal_pair(7, 1, 0.5)
    kx, ky = kernels(x, y)
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    cross = sum((kx[i, j] * ky[i, k]).item() for i, j in pairs for k in range(7) if k not in (i, j))
    joint, mean_x, mean_y = (
        sum(matrix[i, j].item() for i, j in pairs) / 42 for matrix in (kx * ky, kx, ky)
    )
    expected = math.log(joint * mean_x * mean_y / (cross / 210) ** 2)
    value = cauchy_schwarz_information(x, y, self_pairs=False)
    assert value.item() == pytest.approx(expected, abs=1e-12)


def population_value(covariance, bandwidth):
    """Of two normal variables: means of Gaussian kernels are determinants."""

    def mean_kernel(of_difference):
        eye = torch.eye(len(of_difference), dtype=torch.float64)
        return -0.5 * (eye + of_difference / bandwidth**2).logdet()

    marginal = torch.diag(covariance.diagonal())
    return (
        mean_kernel(2 * covariance)
        + mean_kernel(2 * marginal)
        - 2 * mean_kernel(covariance + marginal)
    ).item()


def test_normal_samples_reach_the_closed_form():
    truth = population_value(torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64), 0.5)
    estimator = CauchySchwarz(CauchySchwarzConfig(bandwidth=0.5))
    estimates = [estimator.estimate(*normal_pair(400, 1, 0.8, seed)) for seed in range(40)]
    values = np.array([estimate.value for estimate in estimates])
    assert abs(values.mean() - truth) < 4 * values.std() / math.sqrt(40)
    mean_error = np.mean([estimate.std_error for estimate in estimates])
    assert mean_error == pytest.approx(values.std(), rel=0.35)


def test_independence_scores_zero_only_without_self_pairs():
    values = {
        self_pairs: np.array(
            [
                CauchySchwarz(CauchySchwarzConfig(self_pairs=self_pairs))
                .estimate(*normal_pair(150, 2, 0.0, seed))
                .value
                for seed in range(30)
            ]
        )
        for self_pairs in (False, True)
    }
    error = values[False].std() / math.sqrt(30)
    # The logarithm of noisy means leaves a bias of second order, well below that of self pairs.
    assert abs(values[False].mean()) < 4 * error + 0.02
    assert values[True].mean() > 0.3


@pytest.mark.parametrize("self_pairs", [False, True])
def test_gradient_of_the_quadratic_information(self_pairs):
    x, y = (side.requires_grad_() for side in normal_pair(8, 2, 0.6))
    assert torch.autograd.gradcheck(
        lambda a, b: cauchy_schwarz_information(a, b, 1.3, 0.8, self_pairs=self_pairs), (x, y)
    )


def test_blocks_cover_every_row_once_and_change_nothing(monkeypatch):
    x, y = normal_pair(101, 2, 0.5)
    whole = CauchySchwarz().estimate(x, y)
    monkeypatch.setattr(pairwise, "CACHED_PAIRS", 101 * 7)
    blocks = list(pairwise.row_blocks(x))
    assert [row for block in blocks for row in range(101)[block]] == list(range(101))
    assert max(len(range(101)[block]) for block in blocks) == 7
    split = CauchySchwarz().estimate(x, y)
    assert split.value == pytest.approx(whole.value, abs=1e-12)
    assert split.std_error == pytest.approx(whole.std_error, abs=1e-12)


@pytest.mark.parametrize("bandwidth", ["silverman", "median"])
def test_bandwidth_rules_make_the_value_blind_to_units_and_order(bandwidth):
    x, y = normal_pair(120, 2, 0.6)
    estimator = CauchySchwarz(CauchySchwarzConfig(bandwidth=bandwidth))
    plain = estimator.estimate(x, y).value
    assert estimator.estimate(1000 * x + 7, y / 50).value == pytest.approx(plain, abs=1e-9)
    assert estimator.estimate(y, x).value == pytest.approx(plain, abs=1e-9)
    assert plain > 0.02


def test_silverman_for_one_column_is_the_rule_of_thumb():
    x = torch.linspace(-1, 1, 100, dtype=torch.float64)[:, None]
    expected = 1.06 * x.std().item() * 100**-0.2
    assert silverman_bandwidth(x).item() == pytest.approx(expected, rel=0.01)


def test_a_bandwidth_below_all_distances_is_refused():
    x, y = normal_pair(30, 2, 0.5)
    with pytest.raises(ValueError, match="no two samples are near"):
        CauchySchwarz(CauchySchwarzConfig(bandwidth=1e-6)).estimate(x, y)
    with pytest.raises(ValueError, match="bandwidth must be > 0"):
        CauchySchwarzConfig(bandwidth=0.0)
