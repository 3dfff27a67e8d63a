"""Returns, losses and densities of imagination against slow references and automatic gradients."""

from __future__ import annotations

import math

import pytest
import torch
from imagination_cases import ACTION

from agents.learners.imagination_config import ImaginationConfig
from agents.learners.imagination_losses import combined_advantage, imagined_returns, score_loss
from agents.learners.latent_critics import LatentCritics
from rl_info.nn.symlog import SymlogTwoHot
from rl_info.nn.truncated_normal import LEAST_STD, MOST_STD, TruncatedNormal


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_returns_equal_a_sum_over_all_ends_of_a_path() -> None:
    outputs, horizon, starts, lambda_ = 2, 4, 3, 0.7
    reward, values = normal(outputs, horizon, starts), normal(outputs, horizon + 1, starts, seed=1)
    goes_on = torch.rand(horizon, starts, generator=torch.Generator().manual_seed(2))
    discount = torch.tensor([0.9, 0.99])
    found = imagined_returns(reward, values, goes_on, discount, lambda_)
    for p in range(outputs):
        for n in range(starts):
            for h in range(horizon):
                # Σ over n-step returns, weighted (1 − λ) λ^{n−1}, the last one by the rest.
                expected, rest = 0.0, 1.0
                for steps in range(1, horizon - h + 1):
                    total, factor = 0.0, 1.0
                    for k in range(steps):
                        total += factor * reward[p, h + k, n].item()
                        factor *= discount[p].item() * goes_on[h + k, n].item()
                    total += factor * values[p, h + steps, n].item()
                    share = rest if h + steps == horizon else rest * (1 - lambda_)
                    expected += share * total
                    rest *= lambda_
                assert found[p, h, n].item() == pytest.approx(expected, abs=1e-5)


def test_the_actor_s_gradient_is_that_of_its_loss() -> None:
    features = normal(5, 2 * ACTION).requires_grad_()
    drawn, advantage = normal(5, ACTION, seed=1).tanh(), normal(5, seed=2)
    weight = torch.rand(5, generator=torch.Generator().manual_seed(3))
    policy = TruncatedNormal.from_features(features)
    loss = -(weight * (advantage * policy.log_prob(drawn) + 0.3 * policy.entropy())).mean()
    (expected,) = torch.autograd.grad(loss, features)
    with torch.no_grad():
        wanted, metrics = score_loss(
            policy.log_prob(drawn), advantage, policy.entropy(), weight, 0.3
        )
        found = policy.gradient(drawn, wanted.log_prob, wanted.entropy)
    assert metrics["loss/actor"].item() == pytest.approx(loss.item(), abs=1e-6)
    torch.testing.assert_close(found, expected)


def test_the_truncated_normal_is_a_density_with_its_entropy_and_draws() -> None:
    features = 3 * normal(40, 2)
    policy = TruncatedNormal.from_features(features)
    points = 4001
    grid = torch.linspace(-1, 1, points)[:, None]
    log_prob = torch.stack([policy.log_prob(value.expand(40, 1)) for value in grid])
    density = log_prob.exp()
    torch.testing.assert_close(torch.trapezoid(density, grid[:, 0], dim=0), torch.ones(40))
    entropy = -torch.trapezoid(density * log_prob, grid[:, 0], dim=0)
    torch.testing.assert_close(policy.entropy(), entropy, atol=1e-4, rtol=1e-4)
    assert policy.entropy().max() <= math.log(2) + 1e-5
    share = torch.linspace(0.0005, 0.9995, 1000)[:, None]
    drawn = torch.stack([policy.sample(value.expand(40, 1))[:, 0] for value in share])
    assert drawn.abs().max() <= 1
    expected = torch.trapezoid(density * grid, grid[:, 0], dim=0)
    torch.testing.assert_close(drawn.mean(0), expected, atol=1e-3, rtol=0)
    assert policy.std.min() >= LEAST_STD
    assert policy.std.max() <= MOST_STD


def test_critics_gradient_is_that_of_the_cross_entropy() -> None:
    config = ImaginationConfig(hidden_dim=8, value_bins=11)
    critics = LatentCritics(5, 2, 1, config, torch.Generator().manual_seed(0))
    state, targets = normal(6, 5), 3 * normal(2, 6, seed=1)
    weight = torch.rand(6, generator=torch.Generator().manual_seed(2))
    assert critics.run(state).values.abs().max() == 0
    flat = critics.stack.net.flat
    flat.data.add_(0.1 * normal(*flat.shape, seed=3))
    gradient, losses = critics.loss(critics.run(state), ((1.0, targets), (0.5, -targets)), weight)

    def loss() -> torch.Tensor:
        logits = critics.run(state).logits.double()
        two_hot = SymlogTwoHot(11).double()
        each = two_hot.log_prob(logits, targets.double()) + 0.5 * two_hot.log_prob(
            logits, -targets.double()
        )
        return -(each * weight).sum() / 6

    assert losses.sum().item() == pytest.approx(loss().item(), rel=1e-5)
    found = gradient.float()
    for index in range(0, len(flat), 17):
        before, step = flat.data[index].clone(), 1e-3
        flat.data[index] = before + step
        above = loss()
        flat.data[index] = before - step
        below = loss()
        flat.data[index] = before
        assert found[index].item() == pytest.approx(((above - below) / (2 * step)).item(), abs=2e-4)


def test_two_hot_targets_have_the_value_as_their_mean() -> None:
    two_hot = SymlogTwoHot(63)
    value = torch.tensor([-700.0, -1.5, 0.0, 0.01, 333.0, 1e5])
    target = two_hot.encode(value)
    torch.testing.assert_close((target * two_hot.bins).sum(-1), value)
    torch.testing.assert_close(target.sum(-1), torch.ones(6))
    assert ((target > 0).sum(-1) <= 2).all()


def test_advantages_are_weighed_by_scale_and_each_step_s_own_weight() -> None:
    advantage, scale = normal(2, 4), torch.tensor([2.0, 5.0])
    same = combined_advantage(advantage, scale, torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(same, advantage[0] / 2 + 3 * advantage[1] / 5)
    weights = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    own = combined_advantage(advantage, scale, weights)
    torch.testing.assert_close(own, (weights * advantage / scale[:, None]).sum(0))


def test_a_constant_reward_has_the_geometric_sum_as_its_return() -> None:
    ones = torch.ones(1, 500, 1)
    found = imagined_returns(
        ones, torch.zeros(1, 501, 1), torch.ones(500, 1), torch.tensor([0.9]), 1.0
    )
    assert math.isclose(found[0, 0, 0].item(), 10.0, rel_tol=1e-4)


def test_no_draw_of_a_uniform_number_is_all_but_impossible() -> None:
    """Rounding reaches both ends of [0, 1): neither may throw the action to the far edge."""
    narrow = TruncatedNormal(torch.tensor([[0.9], [-0.999]]), torch.zeros(2, 1))
    for uniform in (0.0, 1.0 - 2.0**-24):
        action = narrow.sample(torch.full((2, 1), uniform))
        assert ((action - narrow.mean).abs() < 0.6).all()
        assert (narrow.log_prob(action) > -20.0).all()
