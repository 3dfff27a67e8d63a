"""Rollouts, coverage, goals and intervals against worlds whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plane_world import FollowSkill, PlaneWorld
from torch import nn

from agents.evaluation.coverage import state_coverage, visited_cells
from agents.evaluation.goals import draw_goals, find_embedding, reach_goals
from agents.evaluation.per_skill import summarise_skills
from agents.evaluation.rollouts import Rollouts, UniformPolicy, collect_rollouts
from agents.evaluation.statistics import mean_interval, rate_interval
from rl_info.rewards import RewardContext, build_reward
from rl_info.rewards.diayn import DIAYNConfig
from rl_info.rewards.metra import METRAConfig
from rl_info.skills import SkillSpec

CIRCLE = SkillSpec("continuous", 2)
COMPASS = SkillSpec("discrete", 4)
COMPASS_ACTIONS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])


def right(count: int) -> torch.Tensor:
    return torch.tensor([[1.0, 0.0]]).expand(count, -1)


def identity_metra(spec: SkillSpec = CIRCLE, source: str = "obs"):
    """METRA whose latent space is the plane itself, or the action directions of the compass."""
    context = RewardContext(2, 2, spec, {"position": 2})
    config = METRAConfig(input=source, normaliser_rows=0)
    reward = build_reward("metra", context, config, torch.Generator().manual_seed(0))
    reward.phi = nn.Linear(2, spec.dim, bias=False)
    with torch.no_grad():
        reward.phi.weight.copy_(torch.eye(2) if spec == CIRCLE else COMPASS_ACTIONS)
    return reward


def test_rollouts_record_every_state_reward_and_length():
    world = PlaneWorld(3, steps=5)
    rollouts = collect_rollouts(FollowSkill(), world, right(3), seed=7)
    assert rollouts.obs.shape == (3, 6, 2)
    np.testing.assert_allclose(
        rollouts.obs[:, 1:] - rollouts.obs[:, :-1], [[[1, 0]] * 5] * 3, atol=1e-6
    )
    np.testing.assert_array_equal(rollouts.positions, rollouts.obs)
    np.testing.assert_array_equal(rollouts.lengths, [5, 5, 5])
    np.testing.assert_array_equal(rollouts.returns, [5.0, 5.0, 5.0])


def test_an_ended_episode_keeps_its_last_state_and_pays_nothing_more():
    world = PlaneWorld(2, steps=10, edge=3.0)
    skills = torch.tensor([[1.0, 0.0], [0.1, 0.0]])
    rollouts = collect_rollouts(FollowSkill(), world, skills, seed=0)
    end = rollouts.lengths[0]
    assert end in (3, 4)
    assert rollouts.lengths[1] == 10
    assert rollouts.returns[0] == pytest.approx(end)
    assert np.linalg.norm(rollouts.obs[0, end]) >= 3.0
    np.testing.assert_array_equal(rollouts.obs[0, end:], rollouts.obs[0, [end]].repeat(11 - end, 0))


def test_rollouts_are_the_same_from_the_same_seed():
    first, second, other = (
        collect_rollouts(FollowSkill(), PlaneWorld(2), right(2), seed=seed).obs
        for seed in (3, 3, 4)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_on_step_sees_each_state_before_its_action():
    seen, world = [], PlaneWorld(1, steps=3)
    rollouts = collect_rollouts(
        FollowSkill(), world, right(1), seed=0, on_step=lambda _: seen.append(world.place.copy())
    )
    np.testing.assert_allclose(np.array(seen)[:, 0], rollouts.obs[0, :3], atol=1e-6)


def test_skills_that_do_not_fit_the_worlds_and_endless_episodes_are_refused():
    with pytest.raises(ValueError, match="2 skills for 3 worlds"):
        collect_rollouts(FollowSkill(), PlaneWorld(3), right(2), seed=0)
    with pytest.raises(ValueError, match="never truncates an episode"):
        collect_rollouts(FollowSkill(), PlaneWorld(2, steps=None), right(2), seed=0)


def test_uniform_policy_is_uniform_and_seeded():
    policy = UniformPolicy(3, seed=1)
    action = policy.act(torch.zeros(5000, 2), torch.zeros(5000, 0))
    assert action.shape == (5000, 3)
    assert action.min() >= -1
    assert action.max() <= 1
    assert action.var(dim=0).sub(1 / 3).abs().max() < 0.02
    assert torch.equal(
        UniformPolicy(3, seed=1).act(torch.zeros(4, 2), right(4)),
        UniformPolicy(3, seed=1).act(torch.zeros(4, 2), right(4)),
    )


def test_coverage_counts_distinct_cells_by_floor():
    path = np.array(
        [
            [[0.1, 0.1], [0.9, 0.9], [1.1, 0.0], [-0.1, 0.0]],
            [[0.5, 0.5], [5, 5], [5.2, 5.9], [0, 0]],
        ]
    )
    np.testing.assert_array_equal(visited_cells(path), [[-1, 0], [0, 0], [1, 0], [5, 5]])
    assert state_coverage(path) == 4
    assert state_coverage(path[..., :1]) == 4
    assert state_coverage(path, cell_size=10.0) == 2
    height = np.arange(8.0).reshape(2, 4, 1)
    assert state_coverage(np.concatenate([path, height], axis=-1)) == 4


def test_bootstrap_interval_covers_the_true_mean_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    hits = 0
    for seed in range(150):
        interval = mean_interval(random.normal(2.0, 1.0, 30), seed)
        hits += interval.low <= 2.0 <= interval.high
    # 95 % nominal; a percentile bootstrap of 30 samples reaches about 93 %.
    assert 0.87 <= hits / 150 <= 0.99


def test_intervals_of_few_or_equal_samples():
    single = mean_interval(np.array([3.0]))
    assert (single.value, single.low, single.high, single.count) == (3.0, None, None, 1)
    equal = mean_interval(np.full(5, 2.0))
    assert (equal.low, equal.high) == (2.0, 2.0)
    with pytest.raises(ValueError, match="at least one sample"):
        mean_interval(np.array([]))


def test_rate_interval_is_wilsons():
    interval = rate_interval(8, 10)
    z, p, n = 1.959963985, 0.8, 10
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert interval.value == 0.8
    assert interval.low == pytest.approx(centre - half)
    assert interval.high == pytest.approx(centre + half)
    with pytest.raises(ValueError, match="at least one trial"):
        rate_interval(0, 0)


def test_embedding_is_found_among_rewards_that_have_none():
    metra = identity_metra()
    context = RewardContext(2, 2, CIRCLE)
    diayn = build_reward("diayn", context, DIAYNConfig(), torch.Generator().manual_seed(0))
    assert find_embedding({"diayn": diayn}) is None
    assert find_embedding({"diayn": diayn, "metra": metra}) is metra


@pytest.mark.parametrize("source", ["obs", "position"])
def test_goals_lie_all_over_the_visited_region(source):
    metra = identity_metra(source=source)
    skills = CIRCLE.spread(16, torch.Generator())
    rollouts = collect_rollouts(FollowSkill(), PlaneWorld(16, steps=20), skills, seed=0)
    goals = draw_goals(rollouts, metra, 200, np.random.default_rng(0))
    visited = rollouts.positions.reshape(-1, 2)
    assert all((visited == state).all(axis=1).any() for state in goals.state)
    np.testing.assert_array_equal(goals.position, goals.state)
    # Uniform over the box: a fifth of the drawn goals at most within the inner fifth of the radius.
    assert (np.linalg.norm(goals.position, axis=1) < 4).mean() < 0.2


@pytest.mark.parametrize("spec", [CIRCLE, COMPASS])
def test_a_true_embedding_reaches_every_goal(spec):
    metra = identity_metra(spec)
    policy = FollowSkill(None if spec == CIRCLE else COMPASS_ACTIONS)
    skills = spec.spread(8, torch.Generator())
    rollouts = collect_rollouts(policy, PlaneWorld(8, steps=30), skills, seed=0)
    goals = draw_goals(rollouts, metra, 20, np.random.default_rng(0))
    report = reach_goals(policy, PlaneWorld(20, steps=60), spec, metra, goals, (1.0, 3.0), seed=9)
    assert report["success_within_m"]["1"]["value"] == 1.0
    assert report["closest_distance_m"]["value"] < 0.8
    assert report["final_distance_m"]["value"] < 1.5 < report["initial_distance_m"]["value"]


def test_a_policy_that_stays_gets_no_credit_for_goals_at_the_start():
    metra = identity_metra()
    policy = FollowSkill(None)
    rollouts = collect_rollouts(
        policy, PlaneWorld(8, steps=6), CIRCLE.spread(8, torch.Generator()), seed=0
    )
    goals = draw_goals(rollouts, metra, 20, np.random.default_rng(0))
    still = PlaneWorld(20, steps=10, speed=0.0)
    report = reach_goals(policy, still, CIRCLE, metra, goals, (4.0, 100.0), seed=9)
    away = int((np.linalg.norm(goals.position, axis=1) > 4.0).sum())
    assert report["success_within_m"]["4"]["value"] == 0.0
    assert 0 < report["success_within_m"]["4"]["count"] < 20
    assert abs(report["success_within_m"]["4"]["count"] - away) <= 1
    assert report["success_within_m"]["100"] is None


def test_goals_need_a_position():
    metra = identity_metra()
    rollouts = collect_rollouts(FollowSkill(), PlaneWorld(2, with_position=False), right(2), seed=0)
    assert rollouts.positions is None
    with pytest.raises(ValueError, match="needs the signal 'position'"):
        draw_goals(rollouts, metra, 5, np.random.default_rng(0))


def test_summary_has_one_row_for_each_skill():
    skills = COMPASS.spread(6, torch.Generator())
    rollouts = collect_rollouts(
        FollowSkill(COMPASS_ACTIONS), PlaneWorld(6, steps=10), skills, seed=0
    )
    rows = summarise_skills(rollouts, COMPASS)
    assert [(row["skill"], row["episodes"]) for row in rows] == [(0, 2), (1, 2), (2, 1), (3, 1)]
    assert [round(row["mean_return"]) for row in rows] == [10, 0, -10, 0]
    assert rows[1]["mean_final_position_m"] == pytest.approx([0, 10], abs=0.2)


def test_summary_of_continuous_skills_and_of_none():
    obs = np.zeros((2, 3, 1), dtype=np.float32)
    rewards, lengths = np.ones((2, 2)), np.array([2, 2])
    skills = np.array([[0.6, 0.8], [1.0, 0.0]], dtype=np.float32)
    rows = summarise_skills(Rollouts(skills, obs, {}, rewards, lengths), CIRCLE)
    assert rows[0]["skill"] == pytest.approx([0.6, 0.8])
    assert "mean_final_position_m" not in rows[0]
    none = np.zeros((2, 0), dtype=np.float32)
    rows = summarise_skills(Rollouts(none, obs, {}, rewards, lengths), SkillSpec())
    assert rows == [{"skill": None, "episodes": 2, "mean_return": 2.0}]
