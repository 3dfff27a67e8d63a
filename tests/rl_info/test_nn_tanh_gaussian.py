from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from rl_info.nn import TanhGaussian


def policy(rows=64, width=3, seed=0) -> TanhGaussian:
    generator = torch.Generator().manual_seed(seed)
    return TanhGaussian.from_features(torch.randn(rows, 2 * width, generator=generator))


def test_log_density_equals_the_transformed_distribution_of_torch():
    found = policy()
    noise = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    action, log_density = found.sample(noise)
    mean, std = found.mean.double(), found.log_std.double().exp()
    normal = Independent(Normal(mean, std), 1)
    reference = TransformedDistribution(normal, TanhTransform(cache_size=1))
    raw = mean + std * noise.double()
    expected_action = reference.transforms[0](raw)
    torch.testing.assert_close(action.double(), expected_action, rtol=1e-5, atol=1e-6)
    expected = reference.log_prob(expected_action)
    torch.testing.assert_close(log_density.double(), expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(
        found.log_prob_of_raw(raw.float()), log_density, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("mean", [-60.0, -12.0, 0.0, 12.0, 60.0])
def test_value_and_gradient_stay_finite_where_the_tanh_saturates(mean):
    location = torch.full((1, 2), mean, requires_grad=True)
    log_std = torch.zeros(1, 2, requires_grad=True)
    action, log_density = TanhGaussian(location, log_std).sample(torch.tensor([[1.0, -1.0]]))
    (action.sum() + log_density.sum()).backward()
    for value in (action, log_density, location.grad, log_std.grad):
        assert bool(torch.isfinite(value).all())
    assert bool((action.abs() <= 1).all())


def test_the_density_integrates_to_one():
    grid = torch.linspace(-1 + 1e-6, 1 - 1e-6, 200_001, dtype=torch.float64)
    one = TanhGaussian(torch.tensor([0.3]).double(), torch.tensor([-0.4]).double())
    density = one.log_prob_of_raw(grid.atanh()[:, None]).exp()
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1.0, abs=1e-4)


def test_log_std_stays_within_its_bounds_and_the_mode_ignores_it():
    features = torch.tensor([[0.5, 100.0], [0.5, -100.0]])
    found = TanhGaussian.from_features(features, -3.0, 1.0)
    torch.testing.assert_close(found.log_std, torch.tensor([[1.0], [-3.0]]))
    torch.testing.assert_close(found.mode(), torch.tensor([[0.5], [0.5]]).tanh())
