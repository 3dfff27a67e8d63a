"""Koopman dynamics and latent LQR against slow references and analytic optima."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from rl_info.dynamics import SIZES, ObservationSpec, SequenceBatch
from rl_info.dynamics.koopman import (
    KoopmanConfig,
    KoopmanDynamics,
    LatentRegulator,
    NotStabilisableError,
    Operators,
    RegulatorConfig,
    build_koopman,
    finite_horizon,
    fit_operators,
    infinite_horizon,
)

WEIGHTS = ("information", "prediction", "entropy", "reconstruction")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def settings(**weights: float) -> KoopmanConfig:
    """Small dynamics with the named terms only."""
    chosen = {f"{name}_weight": weights.get(name, 0.0) for name in WEIGHTS}
    return KoopmanConfig(latent_dim=5, neighbours=2, **chosen)


def sequences(seed: int = 0, batch: int = 4, steps: int = 6) -> SequenceBatch:
    """Random vectors, with an episode that begins in the middle of one sequence."""
    random = generator(seed)
    first = torch.zeros(batch, steps, dtype=torch.bool)
    first[:, 0] = True
    first[1, 3] = True
    return SequenceBatch(
        obs=torch.randn(batch, steps, 3, generator=random),
        action=torch.rand(batch, steps, 2, generator=random) * 2 - 1,
        reward=torch.zeros(batch, steps),
        terminated=torch.zeros(batch, steps, dtype=torch.bool),
        is_first=first,
    )


def vector_model(config: KoopmanConfig, seed: int = 0) -> KoopmanDynamics:
    return build_koopman(ObservationSpec((3,)), 2, config, SIZES["tiny"], generator(seed))


# The loss.


@pytest.mark.parametrize("ahead", [1, 3])
def test_prediction_loss_equals_a_loop_over_steps(ahead):
    config = KoopmanConfig(
        latent_dim=5, neighbours=2, prediction_steps=ahead, relative_prediction=False,
        information_weight=0.0, entropy_weight=0.0, reconstruction_weight=0.0,
    )  # fmt: skip
    model, batch = vector_model(config), sequences()
    model.offset.data.normal_(generator=generator(1))
    losses, _ = model.loss(batch)
    z = model.encode(batch.obs)
    means = []
    for step in range(1, ahead + 1):
        errors = []
        for b in range(4):
            for t in range(step, 6):
                if batch.is_first[b, t - step + 1 : t + 1].any():
                    continue
                guess = z[b, t - step]
                for s in range(t - step + 1, t + 1):
                    guess = model.transition @ guess + model.control @ batch.action[b, s]
                    guess = guess + model.offset
                errors.append((guess - z[b, t]).square().sum())
        means.append(torch.stack(errors).mean())
    torch.testing.assert_close(losses["prediction"], torch.stack(means).mean())


def test_relative_prediction_does_not_reward_shrinking():
    model, batch = vector_model(settings(prediction=1.0)), sequences()
    model.control.data.zero_()
    before = model.loss(batch)[0]["prediction"]
    model.head.weight.data.mul_(0.1)
    torch.testing.assert_close(model.loss(batch)[0]["prediction"], before)


def test_entropy_equals_that_of_the_eigenvalues():
    model, batch = vector_model(settings(entropy=1.0)), sequences()
    z = model.encode(batch.obs).flatten(0, 1).detach().numpy().astype(np.float64)
    shares = np.linalg.eigvalsh(np.cov(z.T))
    shares = shares / shares.sum()
    losses, _ = model.loss(batch)
    assert losses["entropy"].item() == pytest.approx((shares * np.log(shares)).sum(), abs=1e-4)


def test_information_contrasts_neighbours_within_episodes():
    config = KoopmanConfig(
        latent_dim=5, neighbours=2, temperature=0.5,
        prediction_weight=0.0, entropy_weight=0.0, reconstruction_weight=0.0,
    )  # fmt: skip
    model, batch = vector_model(config), sequences()
    z = model.encode(batch.obs).detach()
    bounds = []
    for lag in (1, 2):
        pairs = [
            (z[b, t - lag], z[b, t])
            for b in range(4)
            for t in range(lag, 6)
            if not batch.is_first[b, t - lag + 1 : t + 1].any()
        ]
        for left, right in ((0, 1), (1, 0)):
            total = 0.0
            for pair in pairs:
                logits = [
                    torch.cosine_similarity(pair[left], other[right], dim=0) / 0.5
                    for other in pairs
                ]
                own = torch.cosine_similarity(pair[left], pair[right], dim=0) / 0.5
                total += (own - torch.stack(logits).logsumexp(0)).item() / len(pairs)
            bounds.append(total + math.log(len(pairs)))
    losses, _ = model.loss(batch)
    assert -losses["information"].item() == pytest.approx(np.mean(bounds), abs=1e-5)


def test_normal_information_is_that_of_a_linear_normal_process():
    """z' = ρ z + ε of unit variance in each of five directions: −½ ln(1 − ρ²) nats each."""
    rho, random = 0.8, generator(3)
    z = [torch.randn(2000, 5, generator=random)]
    for _ in range(3):
        noise = math.sqrt(1 - rho**2) * torch.randn(2000, 5, generator=random)
        z.append(rho * z[-1] + noise)
    obs = torch.stack(z, dim=1)
    encoder = nn.Identity()
    encoder.output_dim = 5
    config = KoopmanConfig(
        latent_dim=5, neighbours=1, information="normal",
        prediction_weight=0.0, entropy_weight=0.0, reconstruction_weight=0.0,
    )  # fmt: skip
    model = KoopmanDynamics(encoder, 1, config, random)
    model.transition.data.copy_(rho * torch.eye(5))
    first = torch.zeros(2000, 4, dtype=torch.bool)
    first[:, 0] = True
    batch = SequenceBatch(
        obs, torch.zeros(2000, 4, 1), torch.zeros(2000, 4), torch.zeros_like(first), first
    )
    losses, _ = model.loss(batch)
    truth = -5 / 2 * math.log(1 - rho**2)
    assert -losses["information"].item() == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize(
    ("term", "learning"),
    [
        ("information", {"encoder", "head"}),
        ("entropy", {"encoder", "head"}),
        ("prediction", {"encoder", "head", "transition", "control", "offset"}),
        (
            "reconstruction",
            {"encoder", "head", "decoder", "transition", "control", "offset"},
        ),
    ],
)
def test_each_term_alone_reaches_what_it_should(term, learning):
    model, batch = vector_model(settings(**{term: 1.0})), sequences()
    losses, metrics = model.loss(batch)
    assert losses.keys() == {term} == model.scales.keys()
    assert not any(value.requires_grad for value in metrics.values())
    model.total(losses).backward()
    reached = {
        name.split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }
    assert reached == learning


@pytest.mark.parametrize("measure", ["nce", "nwj", "normal"])
def test_every_measure_of_information_teaches_the_encoder(measure):
    config = KoopmanConfig(latent_dim=5, neighbours=2, information=measure)
    model, batch = vector_model(config), sequences()
    losses, metrics = model.loss(batch)
    metrics |= model.diagnostics(batch)
    losses["information"].backward()
    assert model.head.weight.grad.abs().sum() > 0
    assert all(value.isfinite() for value in metrics.values())


def test_imagination_follows_the_operators_one_step_at_a_time():
    model = vector_model(settings(prediction=1.0))
    z, action = torch.randn(3, 5), torch.randn(3, 4, 2)
    expected = z
    for step in range(4):
        expected = model.operators.step(expected, action[:, step])
    torch.testing.assert_close(model.imagine(z, action)[:, -1], expected)


def test_images_are_encoded_decoded_and_learned_from():
    spec = ObservationSpec((64, 64, 6))
    config = KoopmanConfig(latent_dim=4, neighbours=1)
    model = build_koopman(spec, 2, config, SIZES["tiny"], generator())
    vectors = _cut(sequences(batch=2), 3)
    images = torch.randint(0, 256, (2, 3, 64, 64, 6), generator=generator(), dtype=torch.uint8)
    first = torch.zeros(2, 3, dtype=torch.bool)
    first[:, 0] = True
    batch = SequenceBatch(images, vectors.action, vectors.reward, vectors.terminated, first)
    losses, _ = model.loss(batch)
    model.total(losses).backward()
    assert losses.keys() == set(WEIGHTS)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"latent_dim": 0}, "latent_dim must be at least 1"),
        ({"entropy_weight": -1.0}, "entropy_weight must be at least 0"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({f"{name}_weight": 0.0 for name in WEIGHTS}, "nothing to learn"),
    ],
)
def test_bad_settings_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        KoopmanConfig(**fields)


def test_bad_batches_and_parts_are_refused():
    encoder = nn.Identity()
    encoder.output_dim = 3
    with pytest.raises(ValueError, match="needs a decoder"):
        KoopmanDynamics(encoder, 1, KoopmanConfig(), generator())
    model = vector_model(settings(prediction=1.0))
    with pytest.raises(ValueError, match="too short"):
        model.loss(_cut(sequences(), 2))
    with pytest.raises(ValueError, match="must have the same names"):
        model.total({"entropy": torch.zeros(())})
    with pytest.raises(ValueError, match="no transitions"):
        fit_operators(torch.zeros(0, 2), torch.zeros(0, 1), torch.zeros(0, 2))


def _cut(batch: SequenceBatch, steps: int) -> SequenceBatch:
    return SequenceBatch(*(getattr(batch, name)[:, :steps] for name in batch.__annotations__))


# Least squares and control.


def test_least_squares_recover_the_operators_of_noiseless_data():
    random = generator(5)
    truth = Operators(
        torch.randn(3, 3, generator=random), torch.randn(3, 2, generator=random), torch.ones(3)
    )
    z = torch.randn(200, 3, generator=random) * torch.tensor([1.0, 10.0, 0.1]) + 2
    action = torch.rand(200, 2, generator=random)
    found = fit_operators(z, action, truth.step(z, action), ridge=1e-12)
    for name in ("transition", "control", "offset"):
        torch.testing.assert_close(getattr(found, name), getattr(truth, name), atol=2e-3, rtol=1e-4)


def double_integrator() -> tuple[np.ndarray, np.ndarray]:
    return np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.0], [0.1]])


def simulated_cost(k, b, gain, q, r, x, steps) -> float:
    cost = 0.0
    for _ in range(steps):
        action = -gain @ x
        cost += x @ q @ x + action @ r @ action
        x = k @ x + b @ action
    return float(cost)


def test_feedback_reaches_the_cost_that_riccati_promises_and_no_other_does_better():
    (k, b), q, r = double_integrator(), np.eye(2), np.eye(1)
    found, start = infinite_horizon(k, b, q, r), np.array([1.0, -0.5])
    promised = start @ found.cost @ start
    assert simulated_cost(k, b, found.gain, q, r, start, 2000) == pytest.approx(promised, rel=1e-9)
    random = np.random.default_rng(0)
    for _ in range(20):
        other = found.gain + 0.05 * random.standard_normal(found.gain.shape)
        assert simulated_cost(k, b, other, q, r, start, 2000) > promised


def test_a_long_finite_horizon_is_the_infinite_one_and_a_short_one_is_optimal_by_brute_force():
    (k, b), q, r = double_integrator(), np.diag([1.0, 0.2]), 0.5 * np.eye(1)
    forever, long = infinite_horizon(k, b, q, r), finite_horizon(k, b, q, r, 3000)
    np.testing.assert_allclose(long.gain, forever.gain, rtol=1e-8)
    start = np.array([1.0, 0.3])
    # Two steps: the cost is a quadratic function of two actions, solved directly.
    first, second = k @ b, b
    stacked = np.hstack([first, second])
    free = k @ k @ start
    hessian = stacked.T @ q @ stacked + 0.5 * np.eye(2)
    hessian[0, 0] += (b.T @ q @ b).item()
    slope = stacked.T @ q @ free
    slope[0] += (b.T @ q @ k @ start).item()
    wanted = -np.linalg.solve(hessian, slope)[0]
    assert -(finite_horizon(k, b, q, r, 2).gain @ start).item() == pytest.approx(wanted)


def test_latents_that_no_action_reaches_are_named_and_planned_for_a_while():
    k, b = np.diag([1.1, 0.5]), np.array([[0.0], [1.0]])
    with pytest.raises(NotStabilisableError, match=r"no action reaches their modes 1\.1"):
        infinite_horizon(k, b, np.eye(2), np.eye(1))
    operators = Operators(*(torch.tensor(part).float() for part in (k, b, np.zeros(2))))
    regulator = LatentRegulator(operators, torch.zeros(2), RegulatorConfig(fallback_horizon=20))
    assert regulator.riccati.horizon == 20
    with pytest.raises(ValueError, match="shorten the horizon"):
        finite_horizon(np.diag([10.0, 0.5]), b, np.eye(2), np.eye(1), 1000)


def test_the_steady_action_holds_a_goal_off_the_origin():
    k, b = np.array([[0.9]]), np.array([[0.5]])
    operators = Operators(*(torch.tensor(part).float() for part in (k, b, np.zeros(1))))
    goal = torch.tensor([2.0])
    regulator = LatentRegulator(operators, goal, RegulatorConfig())
    assert regulator.holds_goal
    assert regulator.steady.item() == pytest.approx(0.4)
    z = torch.tensor([[-3.0]])
    for _ in range(50):
        z = operators.step(z, regulator(z))
    assert z.item() == pytest.approx(2.0, abs=1e-3)
    out_of_reach = LatentRegulator(operators, torch.tensor([20.0]), RegulatorConfig())
    assert not out_of_reach.holds_goal
    assert out_of_reach.steady.item() == 0.0


@pytest.mark.parametrize(
    ("field", "value"), [("state_cost", 0.0), ("action_cost", 0.0), ("horizon", 0)]
)
def test_bad_regulators_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        RegulatorConfig(**{field: value})
