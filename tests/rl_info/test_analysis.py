"""Collapse, behavioural similarity and linear dynamics: closed forms, invariances, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import pdist, squareform

from rl_info.analysis import (
    GaussianEdgeKernel,
    accumulated_noise,
    behavioural_similarity,
    collapse_diagnostic,
    koopman_information,
    latent_entropy,
    linear_edge_kernel,
    von_neumann_entropy,
)
from rl_info.estimators.cca import CCA, gaussian_information_of_covariance

SEEDS = st.integers(0, 2**31 - 1)


def normals(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def rotation(dim, seed=0):
    return torch.linalg.qr(normals(dim, dim, seed=seed))[0]


# Von Neumann entropy.


def test_entropy_of_known_spectra():
    eye = torch.eye(6, dtype=torch.float64)
    assert von_neumann_entropy(3 * eye).item() == pytest.approx(math.log(6), abs=1e-12)
    shares = torch.tensor([0.5, 0.25, 0.25, 0.0], dtype=torch.float64)
    turn = rotation(4)
    entropy = von_neumann_entropy(turn @ torch.diag(7 * shares) @ turn.T).item()
    assert entropy == pytest.approx(1.5 * math.log(2), abs=1e-12)
    ray = normals(5, 1)
    assert von_neumann_entropy(ray @ ray.T).item() == pytest.approx(0.0, abs=1e-12)


@given(seed=SEEDS, samples=st.integers(2, 12), dim=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_entropy_of_latents_is_that_of_their_covariance_and_bounded(seed, samples, dim):
    z = normals(samples, dim, seed=seed)
    centred = z - z.mean(0)
    entropy = latent_entropy(z)
    expected = von_neumann_entropy(centred.T @ centred)
    torch.testing.assert_close(entropy, expected, atol=1e-9, rtol=0)
    assert -1e-9 <= entropy <= math.log(min(samples - 1, dim)) + 1e-9
    moved = latent_entropy(4 * z @ rotation(dim, seed) + 3)
    torch.testing.assert_close(moved, entropy, atol=1e-9, rtol=0)


def test_gradient_of_the_entropy_where_eigenvalues_meet_and_vanish():
    assert torch.autograd.gradcheck(latent_entropy, normals(7, 3).requires_grad_())
    assert torch.autograd.gradcheck(latent_entropy, normals(3, 6).requires_grad_())
    cross = torch.cat([torch.eye(3), -torch.eye(3)]).double().requires_grad_()
    assert torch.autograd.gradcheck(latent_entropy, cross)
    flat = torch.cat([normals(6, 2), torch.zeros(6, 2, dtype=torch.float64)], 1).requires_grad_()
    latent_entropy(flat).backward()
    assert torch.isfinite(flat.grad).all()
    assert flat.grad.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_latents_that_never_change_have_no_entropy_and_no_gradient(dtype):
    z = torch.full((5, 3), 2.0, dtype=dtype, requires_grad=True)
    entropy = latent_entropy(z)
    entropy.backward()
    assert entropy.item() == 0
    assert not z.grad.any()
    assert collapse_diagnostic(z).effective_dimensions == 0


def test_climbing_the_entropy_undoes_a_collapse():
    z = (
        normals(200, 1) * torch.tensor([[1.0, 0.5, -1.0]]) + 0.05 * normals(200, 3, seed=1)
    ).float()
    before = collapse_diagnostic(z)
    assert before.effective_dimensions < 1.1
    assert before.largest_share > 0.98
    weights = torch.eye(3).requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=0.05, maximize=True)
    for _ in range(100):
        optimiser.zero_grad()
        latent_entropy(z @ weights).backward()
        optimiser.step()
    after = collapse_diagnostic((z @ weights).detach())
    assert after.effective_dimensions > 2
    assert after.used_share == pytest.approx(after.entropy / math.log(3))


def test_one_sample_has_no_covariance():
    with pytest.raises(ValueError, match="at least 2"):
        latent_entropy(normals(1, 3))


# Behavioural similarity.


@given(seed=SEEDS, dim=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_the_same_geometry_scores_one(seed, dim):
    states = normals(30, dim, seed=seed)
    same = behavioural_similarity(states, states).value
    assert same == pytest.approx(1.0, abs=1e-12)
    embedding = torch.linalg.qr(normals(dim + 2, dim, seed=seed))[0].T
    moved = behavioural_similarity(0.01 * states @ embedding - 4, states).value
    assert moved == pytest.approx(1.0, abs=1e-9)
    linear = behavioural_similarity(states, states, edge_kernel=linear_edge_kernel).value
    assert linear == pytest.approx(1.0, abs=1e-12)


def test_shuffled_latents_score_chance_and_noise_lowers_the_score():
    states = normals(200, 3)
    shuffled = states[torch.randperm(200, generator=torch.Generator().manual_seed(9))]
    result = behavioural_similarity(shuffled, states)
    assert result.value < 0.6
    assert result.value == pytest.approx(result.chance, abs=0.03)
    noise = normals(200, 3, seed=1)
    scores = [behavioural_similarity(states + s * noise, states).value for s in (0.1, 0.3, 1, 3)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9
    assert behavioural_similarity(states + 0.1 * noise, states).chance < 0.6


def test_similarity_is_the_normalised_kernel_over_shortest_paths():
    latents, states = normals(12, 4), normals(12, 2, seed=1)
    paths = [shortest_path(squareform(pdist(side.numpy()))) for side in (latents, states)]
    a, b = (matrix[np.triu_indices(12, 1)] for matrix in paths)
    a, b = a / a.mean(), b / b.mean()
    expected = np.exp(-((a - b) ** 2) / (2 * 0.3**2)).mean()
    value = behavioural_similarity(latents, states, edge_kernel=GaussianEdgeKernel(0.3)).value
    assert value == pytest.approx(expected, abs=1e-12)
    assert behavioural_similarity(
        states, latents, edge_kernel=GaussianEdgeKernel(0.3)
    ).value == pytest.approx(expected, abs=1e-12)
    cosine = a @ b / math.sqrt((a @ a) * (b @ b))
    linear = behavioural_similarity(latents, states, edge_kernel=linear_edge_kernel).value
    assert linear == pytest.approx(cosine, abs=1e-12)


def test_many_vertices_are_thinned_by_the_seed():
    latents, states = normals(100, 4), normals(100, 2, seed=1)
    first = behavioural_similarity(latents, states, max_vertices=20, seed=1)
    assert first == behavioural_similarity(latents, states, max_vertices=20, seed=1)
    assert first != behavioural_similarity(latents, states, max_vertices=20, seed=2)


def test_geometries_that_cannot_be_compared_are_refused():
    states = normals(5, 2)
    with pytest.raises(ValueError, match="4 latents and 5 states"):
        behavioural_similarity(states[:4], states)
    with pytest.raises(ValueError, match="at least 3"):
        behavioural_similarity(states[:2], states[:2])
    with pytest.raises(ValueError, match="all latents coincide"):
        behavioural_similarity(torch.ones(5, 2), states)
    with pytest.raises(ValueError, match="states hold values that are not finite"):
        behavioural_similarity(states, states / 0)
    with pytest.raises(ValueError, match="width must be > 0"):
        GaussianEdgeKernel(0.0)


# Koopman information.


def dynamics(dim, seed):
    operator = normals(dim, dim, seed=seed)
    operator = 0.9 * operator / torch.linalg.matrix_norm(operator, 2)
    covariance, noise = (
        factor @ factor.T + 0.1 * torch.eye(dim, dtype=torch.float64)
        for factor in (normals(dim, dim, seed=seed + 1), normals(dim, dim, seed=seed + 2))
    )
    return operator, covariance, noise


@given(seed=st.integers(0, 10**6), dim=st.integers(1, 5), steps=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_koopman_information_is_that_of_the_joint_normal_law(seed, dim, steps):
    operator, covariance, noise = dynamics(dim, seed)
    power = torch.linalg.matrix_power(operator, steps)
    later = covariance
    for _ in range(steps):
        later = operator @ later @ operator.T + noise
    joint = torch.cat(
        [
            torch.cat([covariance, covariance @ power.T], 1),
            torch.cat([power @ covariance, later], 1),
        ]
    )
    expected = gaussian_information_of_covariance((joint + joint.T) / 2, dim).item()
    value = koopman_information(operator, covariance, noise, steps).item()
    assert value == pytest.approx(expected, abs=1e-10)


def test_a_stationary_chain_forgets_at_the_rate_of_its_operator():
    a = torch.tensor([[0.8]], dtype=torch.float64)
    noise = 1 - a**2
    for steps in (1, 2, 5):
        value = koopman_information(a, torch.ones_like(a), noise, steps).item()
        assert value == pytest.approx(-0.5 * math.log1p(-(0.8 ** (2 * steps))), abs=1e-12)
    torch.testing.assert_close(accumulated_noise(a, noise, 5), 1 - a**10)


def test_no_further_step_creates_information():
    values = [koopman_information(*dynamics(4, 7), steps).item() for steps in range(1, 8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 0


def test_koopman_information_is_what_simulated_latents_show():
    operator, covariance, noise = dynamics(2, 3)
    z = normals(20_000, 2) @ torch.linalg.cholesky(covariance).T
    later = z
    for step in range(2):
        shocks = normals(20_000, 2, seed=step + 1) @ torch.linalg.cholesky(noise).T
        later = later @ operator.T + shocks
    estimate = CCA().estimate(z, later)
    truth = koopman_information(operator, covariance, noise, 2).item()
    assert abs(estimate.value - truth) < 4 * estimate.std_error


def test_gradient_of_the_koopman_information():
    inputs = [matrix.requires_grad_() for matrix in dynamics(3, 0)]

    def information(operator, covariance, noise):
        symmetric = ((m + m.T) / 2 for m in (covariance, noise))
        return koopman_information(operator, *symmetric, 3)

    assert torch.autograd.gradcheck(information, inputs)


def test_noiseless_directions_and_no_steps_are_refused():
    eye = torch.eye(2)
    with pytest.raises(ValueError, match="noiseless"):
        koopman_information(eye, eye, torch.diag(torch.tensor([1.0, 0.0])))
    with pytest.raises(ValueError, match="steps must be at least 1"):
        koopman_information(eye, eye, eye, 0)
