"""Rewards of exploration and of manipulation on tiny worlds with a known right outcome."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from reward_batches import batch_of, context, generator
from tiny_worlds import best_actions, train

from rl_info.rewards import build_reward
from rl_info.rewards.apt import APTConfig
from rl_info.rewards.contrastive_ucb import ContrastiveUCBConfig
from rl_info.rewards.disagreement import DisagreementConfig
from rl_info.rewards.empowerment import EmpowermentConfig
from rl_info.rewards.reach import ReachConfig
from rl_info.rewards.rnd import RNDConfig
from rl_info.rewards.safety import SafetyConfig
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

NONE = SkillSpec()


def steps(start: torch.Tensor, end: torch.Tensor, action: torch.Tensor | None = None):
    rows = len(start)
    return batch_of(start, end, torch.zeros(rows, 0), action=action)


def test_apt_distances_follow_the_density_of_visits():
    rng = generator()
    config = APTConfig(representation="identity", normaliser_rows=0)
    reward = build_reward("apt", context(NONE, obs_dim=1), config, rng)

    def visits(rows: int) -> torch.Tensor:
        # Nine visits in ten fall on [0, 1], one on [1, 2].
        far = (torch.rand(rows, 1, generator=rng) < 0.1).float()
        return torch.rand(rows, 1, generator=rng) + far

    for _ in range(8):
        place = visits(256)
        reward.loss(steps(place, place))
    gap = {}
    for centre in (0.5, 1.5):
        place = centre + 0.4 * (torch.rand(4000, 1, generator=rng) - 0.5)
        gap[centre] = reward(steps(place, place)).expm1().mean().item()
    # On a line the k-th neighbour is as far as visits are rare. Mean over k = 12 neighbours on
    # both sides: (k + 1)/2 gaps, a gap 1/(2 n density).
    assert gap[0.5] == pytest.approx(6.5 / (2 * 384 * 0.9), rel=0.15)
    assert gap[1.5] / gap[0.5] == pytest.approx(9.0, rel=0.3)


def test_apt_inverse_features_see_what_actions_move_and_not_noise():
    rng = generator()
    config = APTConfig(hidden_dim=32, feature_dim=4, reference_rows=64)
    reward = build_reward("apt", context(NONE, obs_dim=4), config, rng)

    def draw(rows: int) -> Transitions:
        action = 2 * torch.rand(rows, 2, generator=rng) - 1
        start, noise = torch.randn(2, rows, 4, generator=rng)
        moved = start[:, :2] + action
        return steps(start, torch.cat([moved, noise[:, 2:]], dim=-1), action)

    train(reward, draw, 200)
    start = torch.randn(512, 4, generator=rng)
    with torch.no_grad():
        slope = [
            (reward.encode(start + axis) - reward.encode(start - axis)).norm(dim=-1).mean().item()
            for axis in 0.5 * torch.eye(4)
        ]
    assert min(slope[:2]) > 3 * max(slope[2:])


def test_rnd_error_falls_only_where_the_agent_has_been():
    rng = generator()
    states = torch.randn(8, 6, generator=rng)
    config = RNDConfig(hidden_dim=32, feature_dim=8)
    reward = build_reward("rnd", context(NONE, obs_dim=6), config, rng)

    def draw(rows: int) -> Transitions:
        end = states[torch.randint(0, 4, (rows,), generator=rng)]
        return steps(end, end)

    train(reward, draw, 200)
    with torch.no_grad():
        value = reward(steps(states, states))
    assert value[4:].min() > 20 * value[:4].max()


def test_disagreement_is_high_for_untried_actions_and_low_for_noise():
    rng = generator()
    config = DisagreementConfig(hidden_dim=32, normaliser_rows=0)
    reward = build_reward("disagreement", context(NONE, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        # First action: known outcome. Second: pure noise. The third is never tried.
        noisy = torch.rand(rows, 1, generator=rng) < 0.5
        start = torch.randn(rows, 2, generator=rng)
        end = torch.where(noisy, torch.randn(rows, 2, generator=rng), start)
        return steps(start, end, torch.cat([~noisy, noisy], dim=-1).float())

    train(reward, draw, 350)
    start = torch.randn(2048, 2, generator=rng)

    def value(action: list[float]) -> float:
        batch = steps(start, start, torch.tensor([action]).expand(len(start), -1))
        return reward(batch).mean().item()

    with torch.no_grad():
        known, noise, untried = value([1.0, 0.0]), value([0.0, 1.0]), value([-1.0, -1.0])
        error = reward.loss(draw(2048))[1]["prediction_error"].item()
    # The error cannot fall below ½, for half of the outcomes are noise: no such trap here.
    assert error > 0.4
    assert known < 0.02
    assert noise < 0.1
    assert untried > 5 * noise


def low_rank_world() -> tuple[torch.Tensor, torch.Tensor]:
    """P(s'|s,a) (6, 2, 6) of rank 2, and its two outcomes: a state decides what an action does."""
    outcomes = torch.tensor(
        [[0.4, 0.3, 0.2, 0.1, 0.0, 0.0], [0.0, 0.0, 0.1, 0.2, 0.3, 0.4]], dtype=torch.float32
    )
    share = torch.tensor([[0.9, 0.2], [0.1, 0.5], [0.7, 0.3], [0.4, 0.8], [1.0, 0.0], [0.6, 0.1]])
    return torch.stack([share, 1 - share], dim=-1) @ outcomes, outcomes


def test_ucb_ratio_is_the_true_one_on_a_low_rank_table():
    rng = generator()
    transition, _ = low_rank_world()
    config = ContrastiveUCBConfig(hidden_dim=32, feature_dim=4, normaliser_rows=0)
    reward = build_reward("contrastive_ucb", context(NONE, obs_dim=6), config, rng)

    def batch(state: torch.Tensor, action: torch.Tensor, following: torch.Tensor) -> Transitions:
        table = torch.eye(6)
        return steps(table[state], table[following], torch.eye(2)[action])

    def draw(rows: int) -> Transitions:
        state = torch.randint(0, 6, (rows,), generator=rng)
        action = torch.randint(0, 2, (rows,), generator=rng)
        following = torch.multinomial(transition[state, action], 1, generator=rng)[:, 0]
        return batch(state, action, following)

    train(reward, draw, 350)
    train(reward, draw, 250, rate=5e-4)
    state, action = torch.arange(6).repeat_interleave(2), torch.arange(2).repeat(6)
    with torch.no_grad():
        ratio = reward.ratios(batch(state, action, torch.arange(6).repeat(2)))[:, :6]
    marginal = transition.mean(dim=(0, 1))
    error = (ratio - transition.view(12, 6) / marginal).abs()
    # A ratio of 1 for all, which knows nothing, is .44 off on average.
    assert error.mean() < 0.06
    assert error.max() < 0.3
    # Ratios of one (s, a), weighted by P⁻, make a distribution.
    torch.testing.assert_close((ratio * marginal).sum(dim=-1), torch.ones(12), atol=0.05, rtol=0)


def chain_regret(bonus_scale: float | None) -> float:
    """Mean regret of 150 episodes of planning in a chain of 6 states with a distant reward.

    Action 1 goes one state up and pays 1 in the last state only, action 0 leads to the first and
    pays .01. The planner knows what it has tried; what it has not is assumed to stay and pay 0.
    """
    count, horizon = 6, 12
    table = torch.eye(count)
    state, action = torch.arange(count).repeat_interleave(2), torch.arange(2).repeat(count)
    config = ContrastiveUCBConfig(
        feature_dim=2 * count, normaliser_rows=0, bonus_scale=bonus_scale or 1.0
    )
    reward = build_reward("contrastive_ucb", context(NONE, obs_dim=count), config, generator())
    # φ one-hot in (s, a): the linear features of a table.
    reward.phi = torch.nn.Linear(count + 2, 2 * count, bias=False)
    pairs = torch.cat([table[state], torch.eye(2)[action]], dim=-1)
    reward.phi.weight.data = 200 * pairs
    everything = steps(table[state], table[state], torch.eye(2)[action])
    following, pay = torch.arange(count)[:, None].repeat(1, 2), torch.zeros(count, 2)
    regret, episodes = 0.0, 150
    for _ in range(episodes):
        with torch.no_grad():
            bonus = reward(everything).view(count, 2) if bonus_scale else torch.zeros(count, 2)
        policy = best_actions(pay + bonus, following, 0.9)
        place, taken, earned = 0, [], 0.0
        for _ in range(horizon):
            choice = int(policy[place])
            last = place == count - 1 and choice == 1
            gain = 1.0 if last else 0.01 * (choice == 0)
            nxt = min(place + 1, count - 1) if choice else 0
            following[place, choice], pay[place, choice] = nxt, gain
            taken.append(2 * place + choice)
            place, earned = nxt, earned + gain
        reward.loss(dataclasses.replace(
            everything,
            **{name: getattr(everything, name)[taken] for name in (
                "obs", "action", "reward", "next_obs", "terminated", "truncated", "skill")},
        ))  # fmt: skip
        regret += (horizon - count + 1) - earned
    return regret / episodes


def test_ucb_bonus_finds_the_distant_reward_that_greed_never_sees():
    greedy, optimistic = chain_regret(None), chain_regret(0.5)
    # The best policy earns 7 in an episode, resting at the start .12.
    assert greedy == pytest.approx(7 - 0.12, abs=0.01)
    assert optimistic < 0.2 * greedy


@pytest.mark.parametrize("influence", [1.0, 0.0])
def test_empowerment_is_the_information_of_a_gaussian_channel(influence):
    rng = generator()
    config = EmpowermentConfig(hidden_dim=32, components=1)
    reward = build_reward("empowerment", context(NONE, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        action = 0.4 * torch.randn(rows, 2, generator=rng)
        start, noise = torch.randn(2, rows, 2, generator=rng)
        return steps(start, start + influence * action + 0.2 * noise, action)

    train(reward, draw, 300)
    with torch.no_grad():
        value = reward(draw(8192)).mean().item()
    # Two dimensions of ½ ln(1 + σ_a²/σ_n²).
    assert value == pytest.approx(math.log(1 + influence * (0.4 / 0.2) ** 2), abs=0.05)


def test_empowerment_prefers_states_where_actions_have_effect():
    rng = generator()
    config = EmpowermentConfig(hidden_dim=32)
    reward = build_reward("empowerment", context(NONE, obs_dim=2), config, rng)

    def draw(rows: int) -> Transitions:
        action = 2 * torch.rand(rows, 2, generator=rng) - 1
        start, noise = torch.randn(2, rows, 2, generator=rng)
        # On ice, where the first coordinate is positive, nothing helps.
        free = (start[:, :1] < 0).float()
        return steps(start, start + free * action + 0.1 * noise, action)

    train(reward, draw, 300)
    batch = draw(4096)
    with torch.no_grad():
        value = reward(batch)
    ice = batch.obs[:, 0] > 0
    assert value[ice].mean().item() == pytest.approx(0.0, abs=0.1)
    assert value[~ice].mean() > 1.0


def test_safety_takes_the_gripper_round_the_obstacle_that_reach_alone_goes_through():
    """A 3 × 3 table: gripper at (0, 1), object at (2, 1), a forbidden place between them."""
    moves = torch.tensor([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    places = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    ends = (places[:, None] + moves).clamp(0, 2)
    following = ends[..., 0] * 3 + ends[..., 1]
    target, forbidden = torch.tensor([2, 1]), 4
    dims = {"gripper_object_distance": 1, "violation": 1}
    start = places.repeat_interleave(len(moves), dim=0).float()
    end = ends.view(-1, 2).float()
    batch = dataclasses.replace(
        steps(start, end),
        signals={"gripper_object_distance": (start - target).norm(dim=-1, keepdim=True)},
        next_signals={
            "gripper_object_distance": (end - target).norm(dim=-1, keepdim=True),
            "violation": (following.view(-1, 1) == forbidden).float(),
        },
    )
    world = context(NONE, obs_dim=2, **dims)
    reach = build_reward("reach", world, ReachConfig(scale=1.0), generator())(batch)
    safety = build_reward("safety", world, SafetyConfig(), generator())(batch)

    def path(value: torch.Tensor) -> list[int]:
        policy = best_actions(value.view(following.shape), following, 0.9)
        visited = [1]
        for _ in range(6):
            visited.append(int(following[visited[-1], policy[visited[-1]]]))
        return visited

    straight, safe = path(reach), path(reach + 5 * safety)
    assert straight == [1, 4, 7, 7, 7, 7, 7]
    assert forbidden not in safe
    assert safe[4:] == [7, 7, 7]
