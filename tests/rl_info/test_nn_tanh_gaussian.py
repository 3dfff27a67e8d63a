from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from rl_info.nn import TanhGaussian


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def slow(features: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Action and log density by torch.distributions, differentiable, in double precision."""
    mean, raw = features.double().chunk(2, dim=-1)
    log_std = -5.0 + 3.5 * (raw.tanh() + 1.0)
    squashed = TransformedDistribution(
        Independent(Normal(mean, log_std.exp()), 1), TanhTransform(cache_size=1)
    )
    action = squashed.transforms[0](mean + log_std.exp() * noise.double())
    return action, squashed.log_prob(action)


def test_actions_densities_and_gradients_equal_the_transformed_distribution_of_torch():
    features, noise = draw(64, 6).requires_grad_(), draw(64, 3, seed=1)
    weight = draw(64, 3, seed=2)
    action, log_prob = slow(features, noise)
    (expected,) = torch.autograd.grad((action * weight).sum() + 0.7 * log_prob.sum(), [features])
    with torch.no_grad():
        sample = TanhGaussian.from_features(features).sample(noise)
        torch.testing.assert_close(sample.action.double(), action, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(sample.log_prob.double(), log_prob, rtol=1e-5, atol=1e-4)
        found = sample.gradient(weight, torch.tensor(0.7))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mean", [-60.0, -12.0, 0.0, 12.0, 60.0])
def test_value_and_gradient_stay_finite_where_the_tanh_saturates(mean):
    features = torch.tensor([[mean, mean, 100.0, -100.0]])
    sample = TanhGaussian.from_features(features).sample(torch.tensor([[1.0, -1.0]]))
    gradient = sample.gradient(torch.ones(1, 2), torch.tensor(1.0))
    for value in (sample.action, sample.log_prob, gradient):
        assert bool(torch.isfinite(value).all())
    assert bool((sample.action.abs() <= 1).all())


def test_the_density_integrates_to_one():
    noise = torch.linspace(-8, 8, 200_001, dtype=torch.float64)[:, None]
    features = torch.tensor([[0.3, 0.2]]).double().expand(len(noise), 2)
    sample = TanhGaussian.from_features(features).sample(noise)
    total = torch.trapezoid(sample.log_prob.exp(), sample.action[:, 0])
    assert float(total) == pytest.approx(1.0, abs=1e-4)


def test_log_std_stays_within_its_bounds_and_the_mode_ignores_it():
    policy = TanhGaussian.from_features(torch.tensor([[0.5, 100.0], [0.5, -100.0]]))
    torch.testing.assert_close(policy.log_std, torch.tensor([[2.0], [-5.0]]))
    torch.testing.assert_close(policy.mode(), torch.tensor([[0.5], [0.5]]).tanh())
