"""Each reward trained on a tiny world where the right outcome is known."""

from __future__ import annotations

import math

import torch
from reward_batches import batch_of, context, generator

from rl_info.rewards import IntrinsicReward, build_reward
from rl_info.rewards.diayn import DIAYNConfig
from rl_info.rewards.lsd import LSDConfig
from rl_info.rewards.metra import METRAConfig
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions


def train(reward: IntrinsicReward, batches: list[Transitions], rate: float) -> None:
    optimiser = torch.optim.Adam(reward.parameters(), lr=rate)
    for batch in batches:
        loss, _ = reward.loss(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def chain_steps(rows: int, rng: torch.Generator) -> Transitions:
    """Steps of a chain of 21 states, one apart, on which skill ±1 walks up or down.

    The observation shows the place on a cubic scale, where the first half of the chain takes an
    eighth of the range, on a linear one, and beside a nuisance that changes at every step.
    """
    skill = SkillSpec("continuous", 1).sample(rows, rng)
    place = torch.randint(0, 20, (rows, 1), generator=rng).float()
    up = skill > 0
    before, after = torch.where(up, place, place + 1), torch.where(up, place + 1, place)
    return batch_of(chain_observation(before, rng), chain_observation(after, rng), skill)


def chain_observation(place: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    nuisance = torch.randn(len(place), 1, generator=rng)
    return torch.cat([3 * (place / 20) ** 3, place / 20, nuisance], dim=-1)


def test_metra_latent_distance_becomes_the_number_of_steps():
    rng = generator()
    config = METRAConfig(hidden_dim=64)
    reward = build_reward("metra", context(SkillSpec("continuous", 1), obs_dim=3), config, rng)
    train(reward, [chain_steps(256, rng) for _ in range(1500)], rate=1e-3)
    with torch.no_grad():
        phi = reward.embed(chain_observation(torch.arange(21.0)[:, None], rng)).flatten()
        mean_step = reward(chain_steps(4096, rng)).mean().item()
    gaps = phi.diff()
    # Temporal distance: every step about 1 long, however the observation warps it.
    assert (gaps > 0.5).all()
    assert (gaps < 1.5).all()
    assert 15.0 < (phi[-1] - phi[0]).item() < 22.0
    assert 0.8 < mean_step < 1.1


def test_lsd_prefers_the_direction_in_which_states_move_far():
    rng = generator()
    spec = SkillSpec("continuous", 1)
    config = LSDConfig(hidden_dim=32, hidden_layers=1, normaliser_rows=0)
    reward = build_reward("lsd", context(spec, obs_dim=2), config, rng)

    def steps(rows: int) -> Transitions:
        skill = spec.sample(rows, rng)
        start = torch.randn(rows, 2, generator=rng)
        # The skill moves the first coordinate ten times as far as the second.
        return batch_of(start, start + skill * torch.tensor([1.0, 0.1]), skill)

    train(reward, [steps(256) for _ in range(500)], rate=3e-3)
    batch = steps(4096)
    with torch.no_grad():
        value = reward(batch).mean().item()
        axis = torch.eye(2)
        slope = [
            (reward.embed(3 * axis[i : i + 1]) - reward.embed(-3 * axis[i : i + 1])).item()
            for i in range(2)
        ]
    # Never more than the Euclidean length of the step, and nearly all of it.
    assert 0.9 < value <= math.hypot(1.0, 0.1) + 1e-3
    assert slope[0] > 5 * abs(slope[1])


def test_diayn_value_tends_to_log_k_for_separable_skills_and_to_zero_for_mixed_ones():
    rng = generator()
    spec = SkillSpec("discrete", 4)
    corner = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])

    def steps(rows: int, separation: float) -> Transitions:
        skill = spec.sample(rows, rng)
        end = separation * skill @ corner + 0.2 * torch.randn(rows, 2, generator=rng)
        return batch_of(torch.zeros(rows, 2), end, skill)

    for separation, low, high in ((1.0, 0.97 * math.log(4), math.log(4)), (0.0, -0.05, 0.05)):
        config = DIAYNConfig(hidden_dim=32)
        reward = build_reward("diayn", context(spec, obs_dim=2), config, rng)
        train(reward, [steps(256, separation) for _ in range(400)], rate=3e-3)
        with torch.no_grad():
            value = reward(steps(4096, separation)).mean().item()
        assert low <= value <= high


def test_diayn_on_the_circle_recovers_the_information_of_a_von_mises_channel():
    """z read off s' with von Mises noise of the discriminator's own κ: r averages I(S';Z)."""
    rng = generator()
    spec = SkillSpec("continuous", 2)
    concentration = 5.0
    noise = torch.distributions.VonMises(torch.tensor(0.0), torch.tensor(concentration))

    def steps(rows: int, seed: int) -> Transitions:
        skill = spec.sample(rows, rng)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            turn = noise.sample((rows,))
        angle = torch.atan2(skill[:, 1], skill[:, 0]) + turn
        end = torch.stack([angle.cos(), angle.sin()], dim=-1)
        return batch_of(torch.zeros(rows, 2), end, skill)

    config = DIAYNConfig(hidden_dim=32, concentration=concentration)
    reward = build_reward("diayn", context(spec, obs_dim=2), config, rng)
    train(reward, [steps(256, seed) for seed in range(400)], rate=3e-3)
    with torch.no_grad():
        value = reward(steps(8192, 10_000)).mean().item()
    bessel = [
        torch.special.i0(torch.tensor(5.0)).item(),
        torch.special.i1(torch.tensor(5.0)).item(),
    ]
    information = concentration * bessel[1] / bessel[0] - math.log(bessel[0])
    assert abs(value - information) < 0.03
