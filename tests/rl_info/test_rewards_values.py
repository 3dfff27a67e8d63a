"""Each reward against values worked out by hand or by a second route."""

from __future__ import annotations

import math

import pytest
import torch
from reward_batches import batch_of, context, generator, random_batch
from scipy import integrate, special

from rl_info.nn.spectral import SpectralMLP
from rl_info.rewards import build_reward
from rl_info.rewards.diayn import DIAYNConfig, log_sphere_area, log_vmf_constant
from rl_info.rewards.lsd import LSDConfig
from rl_info.rewards.metra import METRAConfig
from rl_info.rewards.task import TaskConfig
from rl_info.skills import SkillSpec

PLANE = SkillSpec("continuous", 2)


def linear_metra(skill: SkillSpec, **settings: object):
    """METRA whose φ is a linear map of the raw observation, set to the identity."""
    config = METRAConfig(normaliser_rows=0, **settings)
    reward = build_reward("metra", context(skill, obs_dim=skill.dim), config, generator())
    reward.phi = torch.nn.Linear(skill.dim, skill.dim)
    torch.nn.init.eye_(reward.phi.weight)
    torch.nn.init.zeros_(reward.phi.bias)
    return reward


def steps(*rows: list[float]):
    """Steps from the origin to `rows`, all with skill (1, 0)."""
    end = torch.tensor(rows)
    return batch_of(torch.zeros_like(end), end, torch.eye(end.shape[1])[:1].expand(len(end), -1))


def test_task_scales_the_reward_of_the_environment():
    reward = build_reward("task", context(SkillSpec()), TaskConfig(scale=2.5), generator())
    batch = random_batch(SkillSpec())
    assert torch.equal(reward(batch), 2.5 * batch.reward)


def test_metra_value_and_loss_by_hand():
    reward = linear_metra(PLANE, slack=0.01, initial_multiplier=3.0)
    batch = steps([0.6, 0.8], [2.0, 0.0], [0.5, 0.0])
    torch.testing.assert_close(reward(batch), torch.tensor([0.6, 2.0, 0.5]))
    loss, metrics = reward.loss(batch)
    # 1 − ‖Δφ‖²: 0, −3, .75 → .01; mean slack −2.99/3; mean r 3.1/3.
    slack = -2.99 / 3
    assert loss.item() == pytest.approx(-(3.1 / 3 + 3.0 * slack) + math.log(3.0) * slack, rel=1e-5)
    assert metrics["constraint_slack"].item() == pytest.approx(slack, rel=1e-5)
    assert metrics["multiplier"].item() == pytest.approx(3.0, rel=1e-6)


def test_metra_code_distance_is_the_paper_distance_over_the_skill_dimension():
    batch = steps([0.6, 0.8], [2.0, 0.0])
    paper = linear_metra(PLANE, distance="paper").loss(batch)[1]["squared_step"]
    code = linear_metra(PLANE, distance="code").loss(batch)[1]["squared_step"]
    assert paper.item() == pytest.approx(2.5)
    assert code.item() == pytest.approx(1.25)


def test_metra_discrete_value_uses_the_centred_skill():
    reward = linear_metra(SkillSpec("discrete", 4))
    batch = steps([1.0, 2.0, 3.0, 4.0])
    # (1, −1/3, −1/3, −1/3) · (1, 2, 3, 4) = 1 − 3.
    assert reward(batch).item() == pytest.approx(-2.0, rel=1e-6)


@pytest.mark.parametrize(("length", "sign"), [(2.0, 1), (0.5, -1)])
def test_metra_multiplier_grows_when_violated_and_shrinks_when_slack(length, sign):
    reward = linear_metra(PLANE)
    loss, _ = reward.loss(steps([0.0, length]))
    loss.backward()
    assert -math.copysign(1, reward.log_multiplier.grad.item()) == sign


def test_metra_phi_gradient_does_not_reach_the_multiplier_and_back():
    reward = linear_metra(PLANE, initial_multiplier=30.0)
    loss, _ = reward.loss(steps([2.0, 0.0]))
    loss.backward()
    # Only log λ · slack may move log λ: slack = 1 − 4.
    assert reward.log_multiplier.grad.item() == pytest.approx(-3.0)
    weight = reward.phi.weight
    # d/dW₀₀ of −(2 W₀₀ + 30 (1 − 4 W₀₀²)) at 1.
    assert weight.grad[0, 0].item() == pytest.approx(-2.0 + 240.0)


def test_metra_gradient_pushes_displacement_along_the_skill_inside_the_bound():
    reward = linear_metra(PLANE)
    batch = steps([0.5, 0.0])
    value = reward(batch).item()
    loss, _ = reward.loss(batch)
    loss.backward()
    torch.optim.SGD(reward.phi.parameters(), lr=0.01).step()
    assert reward(batch).item() > value


def test_metra_refuses_a_multiplier_without_logarithm():
    with pytest.raises(ValueError, match="initial_multiplier must be > 0"):
        build_reward("metra", context(PLANE), METRAConfig(initial_multiplier=0.0), generator())


def test_spectral_mlp_is_one_lipschitz_and_nearly_tight_after_training():
    phi = SpectralMLP((4, 32, 32, 2), generator())
    optimiser = torch.optim.Adam(phi.parameters(), lr=3e-3)
    rng = generator(1)
    for _ in range(300):
        phi.refine()
        x = torch.randn(128, 4, generator=rng)
        loss = -(phi(x + 0.1) - phi(x)).norm(dim=-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x, y = torch.randn(2, 20_000, 4, generator=rng)
    with torch.no_grad():
        slope = (phi(x) - phi(y)).norm(dim=-1) / (x - y).norm(dim=-1)
        along = (phi(x + 0.1) - phi(x)).norm(dim=-1) / 0.2
    assert slope.max() <= 1.0 + 1e-3
    # The bound must be used, else any tiny φ would pass.
    assert along.mean() > 0.8
    for layer in phi:
        if hasattr(layer, "weight"):
            sigma = layer.left @ layer.weight @ layer.right
            assert sigma.item() == pytest.approx(
                torch.linalg.matrix_norm(layer.weight, 2).item(), rel=1e-3
            )


def test_spectral_refine_leaves_the_backward_pass_intact():
    phi = SpectralMLP((3, 8, 2), generator())
    loss = phi(torch.ones(5, 3)).sum()
    phi.refine()
    loss.backward()
    assert all(value.grad is not None for value in phi.parameters())


def test_lsd_value_is_the_inner_product_of_displacement_and_skill():
    config = LSDConfig(hidden_dim=8, normaliser_rows=0)
    reward = build_reward("lsd", context(PLANE), config, generator())
    batch = random_batch(PLANE)
    step = reward.embed(batch.next_obs) - reward.embed(batch.obs)
    torch.testing.assert_close(reward(batch), torch.einsum("bz,bz->b", step, batch.skill))
    bound = (batch.next_obs - batch.obs).norm(dim=-1)
    assert (reward(batch).abs() <= bound + 1e-4).all()


def test_diayn_discrete_matches_cross_entropy_and_is_bounded():
    spec = SkillSpec("discrete", 6)
    config = DIAYNConfig(hidden_dim=8, normaliser_rows=0)
    reward = build_reward("diayn", context(spec), config, generator())
    batch = random_batch(spec)
    logits = reward.discriminator(batch.next_obs)
    nll = torch.nn.functional.cross_entropy(logits, batch.skill.argmax(-1), reduction="none")
    torch.testing.assert_close(reward(batch), -nll + math.log(6))
    assert (reward(batch) <= math.log(6)).all()


@pytest.mark.parametrize("dim", [1, 2, 3, 8])
@pytest.mark.parametrize("concentration", [0.5, 5.0, 50.0])
def test_vmf_constant_agrees_with_scipy_bessel(dim, concentration):
    order = dim / 2 - 1
    log_bessel = math.log(special.ive(order, concentration)) + concentration
    expected = order * math.log(concentration) - dim / 2 * math.log(2 * math.pi) - log_bessel
    assert log_vmf_constant(dim, concentration) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_vmf_density_integrates_to_one_on_the_circle():
    constant = math.exp(log_vmf_constant(2, 5.0))
    total, _ = integrate.quad(
        lambda angle: constant * math.exp(5 * math.cos(angle)), 0, 2 * math.pi
    )
    assert total == pytest.approx(1.0, rel=1e-9)
    assert math.exp(log_sphere_area(2)) == pytest.approx(2 * math.pi)
    assert math.exp(log_sphere_area(3)) == pytest.approx(4 * math.pi)


def test_vmf_refuses_a_concentration_out_of_range():
    with pytest.raises(ValueError, match="concentration must be in"):
        log_vmf_constant(2, 0.0)


def test_diayn_continuous_value_by_hand():
    spec = SkillSpec("continuous", 2)
    config = DIAYNConfig(hidden_dim=8, normaliser_rows=0, concentration=4.0)
    reward = build_reward("diayn", context(spec), config, generator())
    batch = random_batch(spec)
    direction = torch.nn.functional.normalize(reward.discriminator(batch.next_obs), dim=-1)
    density = torch.exp(4.0 * (direction * batch.skill).sum(-1)) / (2 * math.pi * special.iv(0, 4))
    torch.testing.assert_close(reward(batch), torch.log(density * 2 * math.pi))
