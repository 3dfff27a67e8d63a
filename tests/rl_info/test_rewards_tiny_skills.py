"""Rewards of skills trained on tiny worlds where the right outcome is known."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from reward_batches import batch_of, context, generator
from scipy import optimize, special
from tiny_worlds import train

from rl_info.rewards import REWARDS, build_reward
from rl_info.rewards.aps import APSConfig
from rl_info.rewards.cic import CICConfig
from rl_info.rewards.csf import CSFConfig
from rl_info.rewards.dads import DADSConfig
from rl_info.rewards.smm import SMMConfig
from rl_info.rewards.tldr import TLDRConfig
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

PLANE = SkillSpec("continuous", 2)
FOUR = SkillSpec("discrete", 4)
CORNERS = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])


@pytest.mark.parametrize(
    ("separation", "low", "high"), [(1.0, 0.97 * math.log(4), math.log(4)), (0.0, -0.02, 0.02)]
)
def test_dads_value_tends_to_log_k_for_separable_steps_and_to_zero_for_mixed_ones(
    separation, low, high
):
    rng = generator()
    config = DADSConfig(hidden_dim=32, experts=2, learned_std=True)
    reward = build_reward("dads", context(FOUR, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        skill = FOUR.sample(rows, rng)
        start = 3 * torch.randn(rows, 2, generator=rng)
        # The skill decides where the step leads, whatever the state.
        step = separation * skill @ CORNERS + 0.2 * torch.randn(rows, 2, generator=rng)
        return batch_of(start, start + step, skill)

    train(reward, draw, 300)
    with torch.no_grad():
        value = reward(draw(4096)).mean().item()
    assert low <= value <= high + 1e-5


def test_dads_estimates_the_information_of_a_gaussian_channel_over_continuous_skills():
    rng = generator()
    spec = SkillSpec("continuous", 1)
    config = DADSConfig(hidden_dim=32, experts=1, learned_std=True, alternatives=64)
    reward = build_reward("dads", context(spec, obs_dim=1), config, rng)

    def draw(rows: int) -> Transitions:
        skill, start = spec.sample(rows, rng), torch.randn(rows, 1, generator=rng)
        return batch_of(start, start + skill + torch.randn(rows, 1, generator=rng), skill)

    train(reward, draw, 300)
    with torch.no_grad():
        value = reward(draw(8192)).mean().item()
    # z = ±1 through N(z, 1): ln 2 less the mean of ln(1 + exp(−2 − 2n)).
    noise = torch.randn(200_000, generator=rng)
    information = math.log(2) - torch.nn.functional.softplus(-2 - 2 * noise).mean().item()
    assert value == pytest.approx(information, abs=0.04)


@pytest.mark.parametrize("name", ["csd", "metra"])
def test_csd_prefers_what_is_seldom_changed_to_what_always_moves_unlike_metra(name):
    rng = generator()
    spec = SkillSpec("continuous", 1)
    config = REWARDS[name].config(hidden_dim=32, normaliser_rows=0, initial_multiplier=1.0)
    reward = build_reward(name, context(spec, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        skill, start = spec.sample(rows, rng), torch.randn(rows, 2, generator=rng)
        # The skill moves the agent far at every step, and a little the object at one in ten.
        touched = (torch.rand(rows, 1, generator=rng) < 0.1).float()
        free = 0.3 * torch.randn(rows, 1, generator=rng)
        step = torch.cat([skill + free, 0.5 * touched * skill], dim=-1)
        return batch_of(start, start + step, skill)

    train(reward, draw, 250)
    with torch.no_grad():
        agent, thing = (
            (reward.embed(axis) - reward.embed(-axis)).norm().item() / 2
            for axis in torch.eye(2)[:, None]
        )
    preference = thing / agent
    assert preference > 2 if name == "csd" else preference < 0.5


def test_csf_steps_settle_where_the_contrastive_term_says():
    """All steps are z itself. c = ‖Δφ‖ maximises c − ξ ln I₀(c): I₁(c)/I₀(c) = 1/ξ."""
    rng = generator()
    config = CSFConfig(hidden_dim=32, normaliser_rows=0, negatives=512)
    reward = build_reward("csf", context(PLANE, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        skill, start = PLANE.sample(rows, rng), torch.randn(rows, 2, generator=rng)
        return batch_of(start, start + skill, skill)

    train(reward, draw, 400)
    with torch.no_grad():
        value = reward(draw(4096)).mean().item()
    best = optimize.brentq(lambda c: special.i1(c) / special.i0(c) - 1 / config.contrast, 0.01, 5)
    assert value == pytest.approx(best, rel=0.06)


def chain_steps(rows: int, rng: torch.Generator) -> Transitions:
    """Steps of a chain of 21 states whose ends are seldom met; skill ±1 walks up or down."""
    skill = SkillSpec("continuous", 1).sample(rows, rng)
    place = (10 + 4 * torch.randn(rows, 1, generator=rng)).round().clamp(0, 19)
    up = skill > 0
    before, after = torch.where(up, place, place + 1), torch.where(up, place + 1, place)
    return batch_of(chain_observation(before), chain_observation(after), skill)


def chain_observation(place: torch.Tensor) -> torch.Tensor:
    """The first half of the chain takes an eighth of the range of the first coordinate."""
    return torch.cat([3 * (place / 20) ** 3, place / 20], dim=-1)


def test_tldr_distance_counts_steps_and_the_goals_are_the_ends_of_a_chain():
    rng = generator()
    config = TLDRConfig(hidden_dim=64, goals=8, reference_rows=256)
    reward = build_reward("tldr", context(SkillSpec("continuous", 1), obs_dim=2), config, rng)
    train(reward, lambda rows: chain_steps(rows, rng), 700)
    with torch.no_grad():
        phi = reward.embed(chain_observation(torch.arange(21.0)[:, None])).flatten()
        batch = chain_steps(512, rng)
        along = reward(batch)
        against = reward(dataclasses.replace(batch, skill=-batch.skill))
        goals = reward.goal(torch.tensor([[1.0], [-1.0]])).flatten()
    total = (phi[-1] - phi[0]).abs().item()
    assert 14 < total < 24
    assert (phi.diff().sign() == phi.diff()[10].sign()).all()
    # The two goals are near the two ends, on the sides of their skills.
    assert (goals - phi.min()).abs().min() < 4
    assert (goals - phi.max()).abs().min() < 4
    assert goals[0] > goals[1]
    # Whichever way φ points, a step towards the goal is worth about +1, one away from it −1.
    towards, away = (along, against) if phi[-1] > phi[0] else (against, along)
    assert 0.6 < towards.mean().item() < 1.3
    assert -1.3 < away.mean().item() < -0.6


@pytest.mark.parametrize("tells", [True, False])
def test_aps_aligns_features_with_a_skill_that_shows_and_with_none_that_does_not(tells):
    rng = generator()
    reward = build_reward(
        "aps", context(PLANE, obs_dim=2), APSConfig(hidden_dim=32, reference_rows=128), rng
    )

    def draw(rows: int) -> Transitions:
        skill, other = PLANE.sample(rows, rng), PLANE.sample(rows, rng)
        length = 0.5 + torch.rand(rows, 1, generator=rng)
        end = length * (skill if tells else other)
        return batch_of(torch.zeros(rows, 2), end, skill)

    train(reward, draw, 250)
    batch = draw(4096)
    with torch.no_grad():
        loss = reward.loss(batch)[0].item()
        turned = dataclasses.replace(batch, skill=-batch.skill)
        gap = (reward(batch) - reward(turned)).mean().item()
    # The cosine is 1 if z can be read off s', 0 if not; turning z round turns only its sign.
    assert -loss == pytest.approx(1.0 if tells else 0.0, abs=0.05)
    assert gap == pytest.approx(2.0 if tells else 0.0, abs=0.1)


def test_aps_prefers_the_less_crowded_of_two_places():
    rng = generator()
    config = APSConfig(hidden_dim=32, reference_rows=256)
    reward = build_reward("aps", context(PLANE, obs_dim=2), config, rng)

    def place(rows: int, share: float) -> torch.Tensor:
        right = (torch.rand(rows, generator=rng) < share).float()
        centre = torch.stack([6 * right - 3, torch.zeros(rows)], dim=-1)
        return centre + torch.randn(rows, 2, generator=rng)

    def draw(rows: int, share: float = 0.02) -> Transitions:
        end = place(rows, share)
        return batch_of(end, end, PLANE.sample(rows, rng))

    train(reward, draw, 50)
    with torch.no_grad():
        rare, common = (reward(draw(2048, share)).mean().item() for share in (1.0, 0.0))
    assert rare > common + 0.2


@pytest.mark.parametrize("tells", [True, False])
def test_cic_information_reaches_what_cosines_of_four_skills_allow(tells):
    rng = generator()
    config = CICConfig(hidden_dim=32, feature_dim=8, reference_rows=128)
    reward = build_reward("cic", context(FOUR, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        skill, other = FOUR.sample(rows, rng), FOUR.sample(rows, rng)
        start = torch.randn(rows, 2, generator=rng)
        step = 3 * (skill if tells else other) @ CORNERS
        return batch_of(start, start + step, skill)

    metrics = train(reward, draw, 150)
    # Four embeddings on the corners of a simplex have cosines −1/3: at T = ½ that is
    # 2 − ln((e² + 3 e^(−2/3))/4).
    best = 2 - math.log((math.exp(2) + 3 * math.exp(-2 / 3)) / 4) if tells else 0.0
    assert metrics["information"].item() == pytest.approx(best, abs=0.08)
    batch = draw(2048)
    with torch.no_grad():
        swapped = dataclasses.replace(batch, skill=batch.skill.roll(1, dims=-1))
        gap = (reward(batch) - reward(swapped)).mean().item()
    # Another skill costs the difference of the cosines, 4/3, over T.
    assert gap == pytest.approx(8 / 3 if tells else 0.0, abs=0.3)


def test_cic_prefers_seldom_taken_steps_in_both_forms():
    rng = generator()
    for form in ("paper", "code"):
        config = CICConfig(hidden_dim=32, feature_dim=8, reference_rows=128, form=form)
        reward = build_reward("cic", context(FOUR, obs_dim=2), config, rng)

        def draw(rows: int, share: float = 0.02) -> Transitions:
            rare = (torch.rand(rows, 1, generator=rng) < share).float()
            start = torch.randn(rows, 2, generator=rng)
            # Skills do not show, so only the entropy can prefer anything.
            step = 5 * rare + 0.1 * torch.randn(rows, 2, generator=rng)
            return batch_of(start, start + step, FOUR.sample(rows, rng))

        train(reward, draw, 40)
        with torch.no_grad():
            rare, common = (reward(draw(2048, share)).mean().item() for share in (1.0, 0.0))
        assert rare > common + 0.2


@pytest.mark.parametrize("kind", ["none", "discrete"])
def test_smm_averages_the_entropy_of_the_states(kind):
    """H(S|Z) + I(S;Z) = H(S); without skills the same entropy at once."""
    rng = generator()
    spec = SkillSpec("discrete", 2) if kind == "discrete" else SkillSpec()
    config = SMMConfig(hidden_dim=32, components=4, normaliser_rows=0)
    reward = build_reward("smm", context(spec, obs_dim=1), config, rng)

    def draw(rows: int) -> Transitions:
        side = SkillSpec("discrete", 2).sample(rows, rng)
        end = 2 * (side[:, :1] - side[:, 1:]) + 0.3 * torch.randn(rows, 1, generator=rng)
        return batch_of(end, end, side if kind == "discrete" else side[:, :0])

    train(reward, draw, 300)
    with torch.no_grad():
        value = reward(draw(8192)).mean().item()
        rare = reward(batch_of(*torch.full((2, 1, 1), 0.0), draw(1).skill)).item()
    entropy = math.log(2) + 0.5 * math.log(2 * math.pi * math.e * 0.3**2)
    assert value == pytest.approx(entropy, abs=0.05)
    # Nobody is ever between the two modes.
    assert rare > value + 2
