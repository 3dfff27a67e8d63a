"""Binned, smoothed and spectral information: known tables, known noise, known clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from rl_info.estimators.adaptive_binning import (
    AdaptiveBinning,
    AdaptiveBinningConfig,
    adaptive_edges,
    adaptive_labels,
    binned_labels,
)
from rl_info.estimators.adaptive_kde import (
    AdaptiveKDE,
    AdaptiveKDEConfig,
    log_mixture_density,
    noise_variance,
)
from rl_info.estimators.diffusion import (
    Diffusion,
    DiffusionConfig,
    diffusion_spectral_entropy,
    diffusion_spectral_information,
)
from rl_info.estimators.inputs import SaturatedWarning
from rl_info.estimators.plug_in import cells, discrete_entropy, discrete_information
from rl_info.estimators.spectral_clusters import cluster_labels, spectral_cluster_labels

SEEDS = st.integers(0, 2**31 - 1)


def normal_pair(samples, columns, correlation, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, samples, columns, generator=generator, dtype=torch.float64)
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def points(samples, columns, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, columns, generator=generator, dtype=torch.float64)


# Counts.


def test_counts_give_the_entropies_of_their_table():
    x = torch.tensor([0] * 4 + [1] * 4)
    y = torch.tensor([7, 7, 7, 9, 9, 9, 9, 9])
    joint = [3 / 8, 1 / 8, 4 / 8]
    expected = math.log(2) - sum(p * math.log(p) for p in (3 / 8, 5 / 8))
    expected += sum(p * math.log(p) for p in joint)
    assert discrete_entropy(x) == pytest.approx(math.log(2), abs=1e-12)
    assert discrete_information(x, y).value == pytest.approx(expected, abs=1e-12)
    assert discrete_information(y, x).value == pytest.approx(expected, abs=1e-12)
    corrected = discrete_information(x, y, bias_correction=True).value
    assert corrected == pytest.approx(expected + (2 + 2 - 3 - 1) / 16, abs=1e-12)


def test_a_noisy_bit_carries_the_capacity_of_its_channel():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(2, (20_000, 1), generator=generator).double()
    flips = (torch.rand(20_000, 1, generator=generator) < 0.1).double()
    truth = math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)
    estimate = AdaptiveBinning().estimate(x, (x - flips).abs())
    assert abs(estimate.value - truth) < 4 * estimate.std_error
    assert 0 < estimate.std_error < 0.01


# Adaptive binning.


def test_bins_hold_equally_many_distinct_values():
    values = points(1000, 3)
    counts = torch.bucketize(values, adaptive_edges(values, 30), right=True).flatten().bincount()
    assert len(counts) == 30
    assert counts.max() - counts.min() <= 1


def test_repeated_outputs_of_a_rectifier_take_no_more_than_one_bin():
    values = points(1000, 1).clamp_min(0)
    distinct = torch.unique(values)
    inside = torch.bucketize(distinct, adaptive_edges(values, 10), right=True).bincount()
    assert len(inside) == 10
    assert inside.max() - inside.min() <= 1


def test_few_values_keep_bins_of_their_own():
    values = torch.tensor([[3.0], [1.0], [3.0], [2.0]])
    labels = adaptive_labels(values, 5)
    assert cells(labels) == 3
    assert labels[0] == labels[2]


@given(seed=SEEDS, bins=st.integers(2, 12))
@settings(max_examples=20, deadline=None)
def test_bins_ignore_rising_maps_of_a_variable(seed, bins):
    x = points(100, 2, seed)
    assert torch.equal(adaptive_labels(x, bins), adaptive_labels(x.exp(), bins))


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_merging_bins_never_creates_information(seed):
    x, y = normal_pair(200, 1, 0.7, seed)
    edges = torch.linspace(-1.5, 1.5, 9, dtype=torch.float64)
    target = adaptive_labels(y, 6)
    fine, coarse = binned_labels(x, edges), binned_labels(x, edges[::2])
    assert discrete_entropy(coarse) <= discrete_entropy(fine) + 1e-12
    merged = discrete_information(coarse, target).value
    assert -1e-12 <= merged <= discrete_information(fine, target).value + 1e-12


def test_binned_normals_approach_the_truth_from_below():
    x, y = normal_pair(20_000, 1, 0.75)
    truth = -0.5 * math.log(1 - 0.75**2)
    values = [
        AdaptiveBinning(AdaptiveBinningConfig(bins=bins)).estimate(x, y).value
        for bins in (2, 6, 40)
    ]
    assert values == sorted(values)
    assert values[0] < truth - 0.1
    assert abs(values[-1] - truth) < 0.015


def test_the_correction_removes_the_bias_of_counting():
    values = {
        corrects: np.array(
            [
                AdaptiveBinning(AdaptiveBinningConfig(bins=8, bias_correction=corrects))
                .estimate(*normal_pair(600, 1, 0.0, seed))
                .value
                for seed in range(40)
            ]
        )
        for corrects in (False, True)
    }
    error = values[True].std() / math.sqrt(40)
    assert values[False].mean() == pytest.approx(49 / 1200, rel=0.15)
    assert abs(values[True].mean()) < 4 * error


def test_a_table_with_a_sample_a_cell_is_named():
    x, y = normal_pair(300, 2, 0.0)
    with pytest.warns(SaturatedWarning, match="reflects the number of samples"):
        estimate = AdaptiveBinning(AdaptiveBinningConfig(bins=30, bias_correction=False)).estimate(
            x, y
        )
    assert math.log(300) - 0.5 < estimate.value <= math.log(300) + 1e-12
    with pytest.raises(ValueError, match="bins must be at least 2"):
        AdaptiveBinningConfig(bins=1)


# Adaptive kernel densities.


@pytest.mark.parametrize("self_pairs", [True, False])
def test_densities_are_the_direct_sum(self_pairs):
    x = points(40, 3)
    exponents = -(torch.cdist(x, x) ** 2).numpy() / 2
    if not self_pairs:
        np.fill_diagonal(exponents, -np.inf)
    expected = logsumexp(exponents, axis=1) - math.log(40 if self_pairs else 39)
    value = log_mixture_density(x, self_pairs=self_pairs).numpy()
    np.testing.assert_allclose(value, expected, atol=1e-10)


@pytest.mark.parametrize("self_pairs", [True, False])
def test_gradient_of_the_densities(self_pairs):
    x = points(6, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: log_mixture_density(a, self_pairs=self_pairs), x)


def test_noise_follows_the_largest_value():
    values = torch.tensor([[1.0, -4.0], [2.0, 0.5]])
    assert noise_variance(values, 0.1, "variance") == pytest.approx(0.4)
    assert noise_variance(values, 0.1, "deviation") == pytest.approx(0.16)
    assert noise_variance(3 * values, 0.1, "variance") == pytest.approx(1.2)


def test_smoothed_normals_reach_their_closed_form():
    """The mean log ratio of normal densities with added variances, under the law without them."""
    x, y = normal_pair(3000, 1, 0.9)
    noise = [0.2 * (side - side.mean(0)).abs().max().item() for side in (x, y)]
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    smooth = covariance + np.diag(noise) ** 2
    truth = 0.5 * math.log(smooth[0, 0] * smooth[1, 1] / np.linalg.det(smooth))
    truth += 0.5 * (1 / smooth[0, 0] + 1 / smooth[1, 1])
    truth -= 0.5 * np.trace(np.linalg.solve(smooth, covariance))
    estimate = AdaptiveKDE(AdaptiveKDEConfig(noise=0.2)).estimate(x, y)
    assert abs(estimate.value - truth) < 4 * estimate.std_error
    assert estimate.std_error < 0.02


def test_standard_error_of_smoothed_densities_is_the_spread_over_draws():
    estimates = [AdaptiveKDE().estimate(*normal_pair(200, 1, 0.8, seed)) for seed in range(80)]
    spread = np.std([estimate.value for estimate in estimates])
    assert np.mean([estimate.std_error for estimate in estimates]) == pytest.approx(spread, rel=0.3)


def test_units_and_order_do_not_matter_to_adaptive_noise():
    x, y = normal_pair(200, 1, 0.8)
    plain = AdaptiveKDE().estimate(x, y).value
    assert AdaptiveKDE().estimate(y, x).value == pytest.approx(plain, abs=1e-9)
    assert AdaptiveKDE().estimate(100 * x - 3, y / 9).value == pytest.approx(plain, abs=1e-9)
    by_variance = AdaptiveKDE(AdaptiveKDEConfig(scales="variance"))
    assert by_variance.estimate(100 * x, y).value != pytest.approx(plain, abs=1e-3)


def test_noise_too_small_for_the_samples_is_named():
    x, y = normal_pair(200, 3, 0.0)
    tight = AdaptiveKDEConfig(noise=1e-4, self_pairs=True)
    with pytest.warns(SaturatedWarning, match="raise the noise"):
        estimate = AdaptiveKDE(tight).estimate(x, y)
    assert estimate.value == pytest.approx(math.log(200), abs=1e-6)
    with pytest.raises(ValueError, match="noise must be > 0"):
        AdaptiveKDEConfig(noise=0.0)


# Diffusion spectra.


def blobs(clusters, each, spread=1e-3):
    """Clusters on a circle of radius 10, far apart beside their spread."""
    angle = 2 * math.pi * torch.arange(clusters, dtype=torch.float64) / clusters
    centres = 10 * torch.stack([angle.cos(), angle.sin()], 1)
    x = centres.repeat_interleave(each, 0) + spread * points(clusters * each, 2)
    return x, torch.arange(clusters).repeat_interleave(each)


def test_spectral_entropy_of_clusters_is_the_logarithm_of_their_number():
    x, _ = blobs(5, 12)
    assert diffusion_spectral_entropy(x, 1.0).item() == pytest.approx(math.log(5), abs=1e-4)
    assert diffusion_spectral_entropy(x, 1e-5).item() == pytest.approx(math.log(60), abs=1e-3)
    assert diffusion_spectral_entropy(x, 1e4).item() == pytest.approx(0.0, abs=1e-3)


def test_diffusion_time_suppresses_small_eigenvalues():
    x = points(50, 2)
    entropies = [diffusion_spectral_entropy(x, 0.5, time).item() for time in (1, 2, 4)]
    assert entropies == sorted(entropies, reverse=True)
    assert entropies[-1] > 0


def test_spectral_entropy_ignores_rigid_motions():
    x = points(40, 2)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    expected = diffusion_spectral_entropy(x, 0.7).item()
    assert diffusion_spectral_entropy(x @ turn + 3, 0.7).item() == pytest.approx(expected, abs=1e-9)


def test_gradient_of_the_spectral_entropy():
    x = points(7, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: diffusion_spectral_entropy(a, 0.8, 2), x)


def test_labels_that_name_the_clusters_carry_all_their_spectral_entropy():
    x, labels = blobs(4, 25)
    value = diffusion_spectral_information(x, labels, 1.0)
    assert value == pytest.approx(math.log(4), abs=1e-3)
    estimate = Diffusion(DiffusionConfig(bandwidth=1.0, clusters=4)).estimate(
        x, labels[:, None].double()
    )
    assert estimate.value == pytest.approx(math.log(4), abs=1e-3)


def test_labels_at_random_carry_no_spectral_entropy():
    values = np.array(
        [
            Diffusion(DiffusionConfig(clusters=4)).estimate(*normal_pair(100, 2, 0.0, seed)).value
            for seed in range(16)
        ]
    )
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(16)
    related = Diffusion(DiffusionConfig(clusters=4)).estimate(*normal_pair(100, 2, 0.95)).value
    assert related > values.max()


def test_spectral_clusters_are_the_blobs():
    x, labels = blobs(4, 20, spread=0.5)
    shuffled = torch.randperm(80, generator=torch.Generator().manual_seed(3))
    found = spectral_cluster_labels(x[shuffled], 4, 3.0)
    assert cells(found) == 4
    assert discrete_information(found, labels[shuffled]).value == pytest.approx(math.log(4))


def test_one_column_is_cut_into_equal_widths_and_discrete_values_stay():
    generator = torch.Generator()
    y = torch.tensor([[0.0], [0.9], [1.1], [2.0], [3.1], [4.0]], dtype=torch.float64)
    assert cluster_labels(y, 4, generator).tolist() == [0, 0, 1, 2, 3, 3]
    y = torch.tensor([[5.0, 1.0], [2.0, 1.0], [5.0, 1.0]], dtype=torch.float64)
    labels = cluster_labels(y, 4, generator)
    assert labels[0] == labels[2] != labels[1]


def test_many_samples_are_thinned_by_the_seed():
    x, y = normal_pair(400, 1, 0.8)
    config = DiffusionConfig(max_samples=60)
    first = Diffusion(config, seed=1).estimate(x, y)
    assert first == Diffusion(config, seed=1).estimate(x, y)
    assert first.value != Diffusion(config, seed=2).estimate(x, y).value


@pytest.mark.parametrize(
    "settings_", [{"bandwidth": 0.0}, {"diffusion_time": 0}, {"clusters": 1}, {"max_samples": 5}]
)
def test_spectral_settings_out_of_range_are_refused(settings_):
    with pytest.raises(ValueError, match=next(iter(settings_))):
        DiffusionConfig(**settings_)
