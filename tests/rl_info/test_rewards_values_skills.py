"""Rewards of skills against values worked out by hand or by a second route."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import pytest
import torch
from reward_batches import batch_of, context, generator, random_batch

from rl_info.rewards import build_reward
from rl_info.rewards.aps import APSConfig
from rl_info.rewards.cic import CICConfig
from rl_info.rewards.csd import CSDConfig
from rl_info.rewards.csf import CSFConfig
from rl_info.rewards.dads import DADSConfig
from rl_info.rewards.smm import SMMConfig
from rl_info.rewards.tldr import TLDRConfig
from rl_info.skills import SkillSpec

PLANE = SkillSpec("continuous", 2)
RAW = {"normaliser_rows": 0, "hidden_dim": 8}


def build(name: str, spec: SkillSpec, config, obs_dim: int = 2):
    return build_reward(name, context(spec, obs_dim=obs_dim), config, generator())


def identity(width: int) -> torch.nn.Linear:
    layer = torch.nn.Linear(width, width, bias=False)
    torch.nn.init.eye_(layer.weight)
    return layer


def steps(*rows: list[float]):
    """Steps from the origin to `rows`, all with skill (1, 0)."""
    end = torch.tensor(rows)
    return batch_of(torch.zeros_like(end), end, torch.eye(2)[:1].expand(len(end), -1))


class Shift(torch.nn.Module):
    """The head of a mixture of one unit Gaussian whose mean is the skill, 2 columns."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros(len(given), 1), given[:, 2:4]], dim=-1)


def test_dads_compares_a_discrete_skill_with_all_skills():
    config = DADSConfig(experts=1, **RAW)
    reward = build("dads", SkillSpec("discrete", 2), config)
    reward.dynamics.net = Shift()
    # Skill 0 predicts Δ = (1, 0), skill 1 Δ = (0, 1). Squared errors of Δ = (1, 0): 0 and 2.
    expected = -math.log((1 + math.exp(-1)) / 2)
    assert reward(steps([1.0, 0.0])).item() == pytest.approx(expected, rel=1e-5)
    # An impossible step for the skill: squared errors 2 and 0.
    expected = -1 - math.log((1 + math.exp(-1)) / 2)
    assert reward(steps([0.0, 1.0])).item() == pytest.approx(expected, rel=1e-5)
    # Never above ln D, however separate.
    assert reward(steps([50.0, -50.0])).item() == pytest.approx(math.log(2), rel=1e-5)


def test_dads_loss_is_the_negative_log_likelihood_of_the_change():
    reward = build("dads", PLANE, DADSConfig(experts=1, **RAW))
    reward.dynamics.net = Shift()
    loss, _ = reward.loss(steps([1.0, 0.0], [1.0, 2.0]))
    assert loss.item() == pytest.approx(math.log(2 * math.pi) + (0 + 2.0) / 2, rel=1e-5)


def test_dads_redraws_unit_alternatives_in_loss_and_never_in_values():
    reward = build("dads", PLANE, DADSConfig(alternatives=7, **RAW))
    first = reward.others.clone()
    assert first.shape == (7, 2)
    torch.testing.assert_close(first.norm(dim=-1), torch.ones(7))
    reward(random_batch(PLANE, obs_dim=2))
    assert torch.equal(reward.others, first)
    reward.loss(random_batch(PLANE, obs_dim=2))
    assert not torch.equal(reward.others, first)


def csd_with_density(mean: list[float], std: list[float], **settings: object):
    """CSD with φ the identity and q(Δ|s) = N(mean, std²) for every s."""
    reward = build("csd", PLANE, CSDConfig(min_std=0.001, **RAW, **settings))
    reward.phi = identity(2)
    head = torch.nn.Linear(2, 5)
    torch.nn.init.zeros_(head.weight)
    raw = [math.log(math.expm1(math.log(each / 0.001))) for each in std]
    head.bias.data = torch.tensor([0.0, *mean, *raw])
    reward.density.net = head
    reward.density.std_offset = 0.0
    return reward


def test_csd_distance_is_the_mahalanobis_one_and_log_density_agrees():
    reward = csd_with_density([0.5, 0.0], [0.5, 2.0])
    batch = steps([1.5, 2.0])
    # ((1.5 − .5)/.5)² + (2/2)².
    assert reward.distance(batch).item() == pytest.approx(5.0, rel=1e-4)
    _, metrics = reward.loss(batch)
    density = -0.5 * 5.0 - math.log(2 * math.pi) - math.log(0.5 * 2.0)
    assert metrics["log_density"].item() == pytest.approx(density, rel=1e-4)


def test_csd_code_distance_divides_by_the_geometric_mean_and_averages():
    reward = csd_with_density([0.0, 0.0], [1.0, 4.0], distance="code")
    # Deviations 1 and 4 over their geometric mean 2: ½ and 2.
    distance = reward.distance(steps([1.0, 4.0])).item()
    assert distance == pytest.approx(((1 / 0.5) ** 2 + (4 / 2) ** 2) / 2, rel=1e-4)


def test_csd_loss_by_hand_and_its_gradients_are_disjoint():
    reward = csd_with_density([0.0, 0.0], [1.0, 1.0], slack=10.0, initial_multiplier=2.0)
    batch = steps([0.6, 0.8], [3.0, 0.0])
    loss, metrics = reward.loss(batch)
    # φ and the density see the same step: ‖Δφ‖² = d², so slack 0 for both rows.
    assert metrics["constraint_slack"].item() == pytest.approx(0.0, abs=1e-4)
    log_density = -math.log(2 * math.pi) - 0.5 * (1.0 + 9.0) / 2
    assert loss.item() == pytest.approx(-(0.6 + 3.0) / 2 - log_density, rel=1e-4)
    loss.backward()
    # d/dW₀₀ of −mean(W₀₀ x₀ + 2 (d² − ‖W x‖²)) with x₀ = .6 and 3; d does not depend on W.
    slope = -(0.6 + 3.0) / 2 + 2 * 2 * (0.36 + 9.0) / 2
    assert reward.phi.weight.grad[0, 0].item() == pytest.approx(slope, rel=1e-4)
    # The density feels its likelihood alone: its mean has the gradient −mean of the steps.
    density_slope = reward.density.net.bias.grad[1].item()
    assert density_slope == pytest.approx(-(0.6 + 3.0) / 2, rel=1e-4)


def test_csd_starts_at_the_multiplier_of_the_paper():
    reward = build("csd", PLANE, CSDConfig(**RAW))
    _, metrics = reward.loss(random_batch(PLANE, obs_dim=2))
    assert metrics["multiplier"].item() == pytest.approx(3000.0)


def test_csf_value_and_loss_by_hand_for_two_opposite_skills():
    reward = build("csf", SkillSpec("discrete", 2), CSFConfig(contrast=5.0, **RAW))
    reward.phi = identity(2)
    batch = steps([0.5, 0.0])
    # Directions of the two skills: (1, −1) and (−1, 1), with inner products ½ and −½.
    assert reward(batch).item() == pytest.approx(0.5)
    loss, metrics = reward.loss(batch)
    # The draws of the loss are those of an equal reward.
    drawn = build("csf", reward.context.skill, reward.config).draws
    share = drawn.skills(reward.context.skill, reward.config.negatives, "cpu").mean(dim=0)
    assert 0.3 < share[0] < 0.7
    contrast = math.log(share[0] * math.exp(0.5) + share[1] * math.exp(-0.5))
    assert metrics["contrast"].item() == pytest.approx(contrast, rel=1e-4)
    assert loss.item() == pytest.approx(5.0 * contrast - 0.5, rel=1e-4)


def test_tldr_value_is_the_drop_of_latent_distance_to_the_goal_of_the_skill():
    reward = build("tldr", PLANE, TLDRConfig(goals=3, **RAW))
    reward.phi = identity(2)
    reward.goals.copy_(torch.tensor([[3.0, 4.0], [-10.0, 0.0], [0.0, -9.0]]))
    # Along (1, 0) from the mean goal, (3, 4) lies farthest: distance 5 before, √(2² + 4²) after.
    assert reward(steps([1.0, 0.0])).item() == pytest.approx(5 - math.sqrt(20), rel=1e-5)
    # Straight towards it.
    assert reward(steps([0.6, 0.8])).item() == pytest.approx(1.0, rel=1e-4)


def test_tldr_loss_by_hand():
    config = TLDRConfig(slack=10.0, initial_multiplier=2.0, goals=4, **RAW)
    reward = build("tldr", PLANE, config)
    reward.phi = identity(2)
    loss, metrics = reward.loss(steps([3.0, 4.0], [0.0, 0.5]))
    # All pairs of s (both at the origin) and s': distances 5 and ½, each twice.
    spread = sum(100 * math.log1p(math.exp(0.01 * (500 - each))) for each in (5, 0.5)) / 2
    slack = ((1 - 25) + (1 - 0.25)) / 2
    expected = spread - 2.0 * slack + math.log(2.0) * slack
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert metrics["distance"].item() == pytest.approx(2.75, rel=1e-5)


def test_tldr_keeps_the_states_farthest_from_their_neighbours_as_goals():
    reward = build("tldr", PLANE, TLDRConfig(goals=2, neighbours=3, **RAW))
    reward.phi = identity(2)
    crowd = torch.randn(200, 2, generator=generator()) * 0.1
    lonely = torch.tensor([[9.0, 0.0], [0.0, -7.0]])
    end = torch.cat([crowd[:100], lonely, crowd[100:]])
    reward.loss(batch_of(end, end, PLANE.sample(len(end), generator())))
    assert {tuple(row) for row in reward.goals.tolist()} == {(9.0, 0.0), (0.0, -7.0)}


def test_tldr_chooses_goals_anew_only_at_its_interval():
    reward = build("tldr", PLANE, TLDRConfig(goals=2, goal_interval=3, **RAW))
    seen = []
    for seed in range(7):
        reward.loss(random_batch(PLANE, obs_dim=2, seed=seed))
        seen.append(reward.goals.clone())
    same = [torch.equal(a, b) for a, b in pairwise(seen)]
    assert same == [True, True, False, True, True, False]


def aps(rows: torch.Tensor, **settings: object):
    """APS whose φ is the identity, with `rows` as its usable reference."""
    config = APSConfig(reference_rows=64, **RAW, **settings)
    reward = build("aps", PLANE, config)
    reward.phi = identity(2)
    batch = batch_of(rows, rows, PLANE.sample(len(rows), generator()))
    reward.loss(batch)
    reward.loss(dataclasses.replace(batch, next_obs=rows + 1e6))
    return reward


def test_aps_value_is_particle_entropy_plus_cosine():
    reward = aps(torch.tensor([[0.0, 0.0], [3.0, 0.0], [100.0, 0.0]]), neighbours=2)
    # From (3, 4): distances 5 and 4, mean 4.5; cosine with (1, 0) is .6.
    value = reward(steps([3.0, 4.0])).item()
    assert value == pytest.approx(math.log(1 + 4.5) + 0.6, rel=1e-5)


def test_aps_loss_is_minus_the_mean_cosine():
    reward = build("aps", PLANE, APSConfig(**RAW))
    reward.phi = identity(2)
    loss, _ = reward.loss(steps([3.0, 4.0], [0.0, 2.0]))
    assert loss.item() == pytest.approx(-(0.6 + 0.0) / 2, rel=1e-5)


def cic(**settings: object):
    """CIC whose embedding of a step is s', of a skill the skill itself."""
    config = CICConfig(feature_dim=2, reference_rows=64, neighbours=1, relative_distance=False)
    reward = build("cic", PLANE, dataclasses.replace(config, **RAW, **settings))
    reward.state_net = reward.skill_net = identity(2)
    reward.step_net = torch.nn.Linear(4, 2, bias=False)
    reward.step_net.weight.data = torch.tensor([[0.0, 0, 1, 0], [0, 0, 0, 1]])
    return reward


def test_cic_loss_is_the_cross_entropy_of_the_skills_step():
    reward = cic(temperature=0.5)
    end = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    loss, metrics = reward.loss(batch_of(torch.zeros(2, 2), end, torch.eye(2)))
    # Cosines 1 with the own step and 0 with the other, over T = ½.
    expected = -math.log(math.exp(2) / (math.exp(2) + 1))
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert metrics["information"].item() == pytest.approx(math.log(2) - expected, rel=1e-5)


@pytest.mark.parametrize("form", ["paper", "code"])
def test_cic_value_adds_contrast_to_entropy_only_in_the_papers_form(form):
    reward = cic(form=form)
    end = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    known = batch_of(torch.zeros(2, 2), end, torch.eye(2))
    reward.loss(known)
    assert reward(known).tolist() == [0.0, 0.0]
    reward.loss(dataclasses.replace(known, next_obs=end + 1e6))
    value = reward(steps([4.0, 0.0])).item()
    entropy = math.log(1 + 2.0)
    # Own cosine 1; those of the reference 1 and 0, over T = ½.
    contrast = 2 - math.log((math.exp(2) + 1) / 2)
    assert value == pytest.approx(entropy + contrast * (form == "paper"), rel=1e-5)


def test_smm_rewards_low_density_and_a_skill_that_shows():
    spec = SkillSpec("discrete", 2)
    reward = build("smm", spec, SMMConfig(components=1, **RAW), obs_dim=1)
    reward.discriminator = torch.nn.Linear(1, 2, bias=False)
    reward.discriminator.weight.data = torch.tensor([[1.0], [-1.0]])
    head = torch.nn.Linear(2, 3)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    reward.density.net = head
    end = torch.tensor([[2.0], [2.0], [0.0]])
    skill = torch.tensor([[1.0, 0], [0, 1], [1, 0]])
    batch = batch_of(torch.zeros(3, 1), end, skill)
    # ρ starts as N(0, 1) for each skill: −log ρ = ½ ln 2π + s²/2.
    surprise = 0.5 * math.log(2 * math.pi) + end[:, 0] ** 2 / 2
    told = torch.tensor([-math.log1p(math.exp(-4)), -math.log1p(math.exp(4)), -math.log(2)])
    torch.testing.assert_close(reward(batch), surprise + told + math.log(2))
    loss, metrics = reward.loss(batch)
    assert loss.item() == pytest.approx((surprise - told - math.log(2)).mean().item(), rel=1e-5)
    assert metrics["log_density"].item() == pytest.approx(-surprise.mean().item(), rel=1e-5)


def test_smm_learns_to_tell_skills_rather_than_to_confuse_them():
    spec = SkillSpec("discrete", 2)
    reward = build("smm", spec, SMMConfig(**RAW), obs_dim=2)
    skill = spec.sample(64, generator())
    batch = batch_of(torch.zeros(64, 2), 2 * skill - 1, skill)
    before = reward.loss(batch)[1]["skill_information"].item()
    optimiser = torch.optim.Adam(reward.parameters(), lr=1e-2)
    for _ in range(50):
        optimiser.zero_grad()
        reward.loss(batch)[0].backward()
        optimiser.step()
    after = reward.loss(batch)[1]["skill_information"].item()
    assert before < 0.5
    assert after == pytest.approx(math.log(2), abs=0.05)


@pytest.mark.parametrize(
    ("config", "settings", "name"),
    [
        (DADSConfig, {"alternatives": 0}, "alternatives"),
        (CSFConfig, {"contrast": math.nan}, "contrast"),
        (CSFConfig, {"negatives": 0}, "negatives"),
        (TLDRConfig, {"goals": 2000}, "reference_rows"),
        (TLDRConfig, {"goal_interval": 0}, "goal_interval"),
        (APSConfig, {"neighbours": 0}, "neighbours"),
        (APSConfig, {"neighbours": 300}, "reference_rows"),
        (CICConfig, {"temperature": 0.0}, "temperature"),
        (SMMConfig, {"density_weight": -1.0}, "density_weight"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(config, settings, name):
    with pytest.raises(ValueError, match=f"{name} of {config.__name__} must be"):
        config(**settings)


def test_a_multiplier_without_logarithm_is_refused():
    with pytest.raises(ValueError, match="initial_multiplier must be > 0"):
        build("csd", PLANE, CSDConfig(initial_multiplier=0.0))
