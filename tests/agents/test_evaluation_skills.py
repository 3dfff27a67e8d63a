"""I(S;Z), objects, safety and scales against episodes whose right answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from plane_world import FollowSkill, PlaneWorld
from torch import nn

from agents.evaluation import EvaluationConfig, RunLabel, Subject, evaluate
from agents.evaluation.displacement_figure import displacement_figure
from agents.evaluation.goals import Goals, draw_goals, goal_places, reach_goals
from agents.evaluation.objects import summarise_objects
from agents.evaluation.rollouts import Rollouts, UniformPolicy, collect_rollouts
from agents.evaluation.safety import summarise_safety
from agents.evaluation.skill_episodes import collect_skill_episodes
from agents.evaluation.skill_information import (
    episode_outcomes,
    ignored_skill_interval,
    information_interval,
    permuted_information,
    skill_information,
)
from agents.evaluation.statistics import ratio_interval
from agents.evaluation.summary import summarise
from rl_info.rewards import RewardContext, build_reward
from rl_info.rewards.metra import METRAConfig
from rl_info.skills import SkillSpec

COMPASS = SkillSpec("discrete", 4)
CIRCLE = SkillSpec("continuous", 2)
ACTIONS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
LABEL = RunLabel("metra", "test/plane", 0)


def subject(spec: SkillSpec, **world) -> Subject:
    policy = FollowSkill(ACTIONS if spec == COMPASS else None)
    return Subject(policy, spec, {}, lambda count, seed: PlaneWorld(count, seed, **world), LABEL)


def drawn(spec: SkillSpec, count: int, seed: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    discrete = spec.kind == "discrete"
    return (spec.spread if discrete else spec.sample)(count, generator).numpy()


@pytest.mark.parametrize("spec", [SkillSpec("discrete", 8), CIRCLE, SkillSpec("continuous", 1)])
def test_the_interval_of_outcomes_without_skill_holds_zero(spec, monkeypatch):
    monkeypatch.setattr("agents.evaluation.skill_information.HALVES", 20)
    random = np.random.default_rng(0)
    hits = 0
    for seed in range(20):
        skills = drawn(spec, 96, seed)
        found = information_interval(random.normal(size=(96, 2)), skills, spec, seed)
        hits += found.low <= 0.0 <= found.high
    # 95% nominal: 16 hits or fewer of 20 come with probability 2%. All three kinds have 18 to 20.
    assert hits >= 17


def test_the_interval_of_a_random_policy_holds_zero(monkeypatch):
    monkeypatch.setattr("agents.evaluation.skill_information.HALVES", 20)
    hits = 0
    for seed in range(20):
        skills = drawn(COMPASS, 48, seed)
        world = PlaneWorld(48, seed, steps=4)
        policy = UniformPolicy(2, seed)
        episodes = collect_rollouts(policy, world, torch.from_numpy(skills), seed=seed)
        found = information_interval(episodes.positions[:, -1], skills, COMPASS, seed)
        hits += found.low <= 0.0 <= found.high
    assert hits >= 17


@pytest.mark.parametrize("spec", [SkillSpec("discrete", 8), CIRCLE])
def test_permuted_skills_show_the_floor_below_a_policy_that_follows_them(spec, monkeypatch):
    monkeypatch.setattr("agents.evaluation.skill_information.HALVES", 20)
    monkeypatch.setattr("agents.evaluation.skill_information.PERMUTATIONS", 39)
    skills = drawn(spec, 128, 0)
    noise = 0.05 * np.random.default_rng(0).normal(size=(128, skills.shape[1]))
    null = permuted_information(skills + noise, skills, spec)
    again = permuted_information(skills + noise, skills, spec)
    assert np.array_equal(null, again)
    floor = ignored_skill_interval(null, 128)
    assert floor.low < 0.0 < floor.high
    # A null of independent draws: so many neighbours of 128 episodes bias by less than this.
    assert abs(floor.value) < 0.06
    assert information_interval(skills + noise, skills, spec).low > 10 * floor.high


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_the_estimate_is_near_the_truth_of_a_channel_that_confuses_skills(share):
    """The outcome is the skill itself, or with probability 1 − share any of the 4 skills."""
    random = np.random.default_rng(1)
    skills = drawn(COMPASS, 400, 0)
    seen = np.where(random.random(400) < share, skills.argmax(axis=1), random.integers(4, size=400))
    same = share + (1 - share) / 4
    other = (1 - share) / 4
    truth = math.log(4) + same * math.log(same) + 3 * other * math.log(other)
    found = information_interval(
        10.0 * seen[:, None] + random.normal(size=(400, 1)), skills, COMPASS
    )
    assert found.value == pytest.approx(truth, abs=0.1)


def test_skills_told_apart_fully_have_ln_k_and_none_has_more():
    spec = SkillSpec("discrete", 16)
    skills = drawn(spec, 256, 0)
    noise = np.random.default_rng(0).normal(size=(256, 1))
    found = information_interval(50.0 * skills.argmax(axis=1)[:, None] + noise, skills, spec)
    assert found.value == pytest.approx(math.log(16))
    assert found.high == pytest.approx(math.log(16))


def test_partly_told_skills_lie_within_the_interval():
    # Two pairs of skills that share an outcome: ln 2 of ln 4.
    skills = drawn(COMPASS, 128, 0)
    noise = np.random.default_rng(0).normal(size=(128, 1))
    outcome = 50.0 * (skills.argmax(axis=1)[:, None] // 2) + noise
    found = information_interval(outcome, skills, COMPASS)
    assert found.low < math.log(2) < found.high
    assert 0.02 < found.high - found.low < 0.6


def test_many_episodes_of_a_policy_that_follows_its_skill(monkeypatch):
    monkeypatch.setattr("agents.evaluation.skill_episodes.MOST_WORLDS", 24)
    episodes = collect_skill_episodes(subject(COMPASS, steps=4), 8, seed=3)
    assert np.bincount(episodes.skills.argmax(axis=1)).tolist() == [8, 8, 8, 8]
    # Chunks of worlds go on with the seeds, so that no initial state comes twice.
    assert len(np.unique(episodes.positions[:, 0], axis=0)) == 32
    report = skill_information(episodes, COMPASS, seed=0)
    assert report["ceiling_nats"] == pytest.approx(math.log(4))
    for name in ("final_position", "mean_position", "displacement"):
        assert report["nats"][name]["value"] == pytest.approx(math.log(4), abs=1e-6)
        floor = report["nats_if_ignored"][name]
        assert floor["low"] <= 0.0 <= floor["high"] < 1.0
        assert report["p_value"][name] == 0.01
    assert "object_displacement" not in report["nats"]


def test_a_policy_that_cannot_move_tells_nothing():
    episodes = collect_skill_episodes(subject(COMPASS, steps=4, speed=0.0), 16, seed=0)
    found = skill_information(episodes, COMPASS, seed=0)["nats"]["final_position"]
    assert found["low"] <= 0.0 <= found["high"]


def test_continuous_skills_are_independent_draws():
    episodes = collect_skill_episodes(subject(CIRCLE, steps=4), 8, seed=0)
    assert len(episodes.lengths) == 128
    assert episodes.obs.shape == (128, 5, 0)
    report = skill_information(episodes, CIRCLE, seed=0)
    assert report["ceiling_nats"] is None
    assert report["nats"]["final_position"]["low"] > 1.0


def test_agents_and_worlds_without_skills_or_places_are_refused():
    episodes = collect_skill_episodes(subject(COMPASS, steps=2, with_position=False), 8, seed=0)
    with pytest.raises(ValueError, match="'position'"):
        skill_information(episodes, COMPASS, seed=0)
    with pytest.raises(ValueError, match="without skills"):
        skill_information(episodes, SkillSpec(), seed=0)
    with pytest.raises(ValueError, match="at least 8 episodes"):
        information_interval(np.zeros((16, 1)), drawn(COMPASS, 16, 0), COMPASS)


def table_episodes() -> Rollouts:
    """Four skills, one episode each, push the first of two boxes along the compass by 0.2 m."""
    skills = np.eye(4, dtype=np.float32)
    centers = np.zeros((4, 5, 6), dtype=np.float32)
    centers[:, 1:, :2] = 0.2 * ACTIONS.numpy()[:, None]
    contact = np.zeros((4, 5, 2), dtype=np.float32)
    contact[0, [1, 2], 0] = 1
    contact[1, [2, 3], [0, 1]] = 1
    # Repeats of the last state after the end of an episode of two steps count for nothing.
    contact[3, 2:, 1] = 1
    violation = np.zeros((4, 5, 1), dtype=np.float32)
    violation[2, 1:] = 0.5
    violation[3, 2:] = 2.0
    signals = {
        "position": centers[..., :2],
        "object_position": centers,
        "object_contact": contact,
        "violation": violation,
    }
    lengths = np.array([4, 4, 4, 2])
    return Rollouts(skills, np.zeros((4, 5, 0), np.float32), signals, np.zeros((4, 4)), lengths)


def test_objects_are_followed_and_touches_counted_while_episodes_run():
    report = summarise_objects(table_episodes(), COMPASS, cell_size=0.1, seed=0)
    assert report["objects"] == 2
    assert report["displacement_m"]["value"] == pytest.approx(0.1)
    assert report["episodes_with_a_move"]["value"] == 1.0
    assert (report["directions"], report["displacement_cells"]) == (4, 4)
    assert report["object_contact"]["of_steps"]["value"] == pytest.approx(5 / 14)
    assert report["object_contact"]["of_episodes"]["value"] == pytest.approx(3 / 4)
    assert "object_grasp" not in report
    east = report["per_skill"][0]
    assert east["mean_displacement_m"][0] == pytest.approx([0.2, 0.0, 0.0])
    assert east["contact_of_steps"]["value"] == pytest.approx(0.5)
    still = summarise_objects(table_episodes(), SkillSpec(), cell_size=1.0, seed=0)
    assert still["episodes_with_a_move"]["value"] == still["directions"] == 0
    assert "per_skill" not in still


def test_safety_counts_the_steps_of_running_episodes():
    report = summarise_safety(table_episodes(), seed=0)
    assert report["violations_per_1000_steps"]["value"] == pytest.approx(1000 * 5 / 14)
    assert report["mean_violation"]["value"] == pytest.approx((4 * 0.5 + 2.0) / 14)
    assert report["mean_violation"]["low"] < 4 / 14 < report["mean_violation"]["high"]
    with pytest.raises(ValueError, match="'violation'"):
        summarise_safety(Rollouts(**{**vars(table_episodes()), "signals": {}}), seed=0)


def test_the_displacement_figure_has_a_dot_for_each_object_and_an_arrow_for_each_skill():
    figure = displacement_figure(table_episodes(), COMPASS, LABEL)
    assert len(figure.axes[0].collections[0].get_offsets()) == 8
    assert len(figure.axes[0].texts) == 4
    assert "moved 10.0 cm" in figure.get_suptitle()


def test_outcomes_average_the_steps_of_running_episodes():
    outcomes = episode_outcomes(table_episodes())
    np.testing.assert_allclose(outcomes["mean_position"], 0.2 * ACTIONS, atol=1e-6)
    assert outcomes["object_displacement"].shape == (4, 6)


def test_ratios_of_episodes_of_different_length():
    totals, sizes = np.array([1.0, 30.0, 2.0] * 20), np.array([10.0, 100.0, 10.0] * 20)
    found = ratio_interval(totals, sizes, seed=1)
    assert found.value == pytest.approx(33 / 120)
    assert 0.2 < found.low < found.value < found.high < 0.35
    assert ratio_interval(totals[:1], sizes[:1]).low is None
    with pytest.raises(ValueError, match="sizes above 0"):
        ratio_interval(totals, 0 * sizes)


def test_goals_of_an_embedding_of_objects_are_places_of_objects():
    context = RewardContext(2, 2, CIRCLE, {"object_position": 6})
    config = METRAConfig(input="object_position", normaliser_rows=0)
    metra = build_reward("metra", context, config, torch.Generator().manual_seed(0))
    metra.phi = nn.Linear(6, 2, bias=False)
    rollouts = table_episodes()
    assert goal_places(rollouts, metra).shape == (4, 5, 6)
    goals = draw_goals(rollouts, metra, 5, np.random.default_rng(0))
    np.testing.assert_allclose(goals.position, goals.state)

    class TwoBoxes(PlaneWorld):
        """The point carries the first box; the second lies 2 m away from its goal."""

        def _info(self):
            boxes = np.zeros((self.num_envs, 6), dtype=np.float32)
            boxes[:, :2], boxes[:, 5] = self.place, 2.0
            return {"signals": {"object_position": boxes}}

    with torch.no_grad():
        metra.phi.weight.copy_(torch.eye(2, 6))
    goal = np.array([[3.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    report = reach_goals(
        FollowSkill(), TwoBoxes(1), CIRCLE, metra, Goals(goal, goal), (1.0, 2.5), seed=0
    )
    assert report["goal_of"] == "object_position"
    assert report["success_within_m"]["1"]["value"] == 0.0
    assert report["success_within_m"]["2.5"]["value"] == 1.0


def test_lengths_follow_the_task_unless_said_otherwise():
    assert EvaluationConfig().scales(0.05).cell_size == 0.05
    assert EvaluationConfig().scales(1.0).goal_radii == (1.0, 3.0)
    said = EvaluationConfig(cell_size=2.0, goal_radii=(0.1,)).scales(0.05)
    assert (said.cell_size, said.goal_radii) == (2.0, (0.1,))


@pytest.mark.parametrize("episodes", [-1, 7])
def test_too_few_episodes_for_an_interval_are_refused(episodes):
    with pytest.raises(ValueError, match="episodes_per_skill"):
        EvaluationConfig(episodes_per_skill=episodes)


def test_the_report_and_its_lines_hold_the_information(tmp_path):
    config = EvaluationConfig(rollouts=4, goals=0, video=False, episodes_per_skill=8)
    report = evaluate(subject(COMPASS, steps=4), tmp_path, config)
    assert report["settings"]["cell_size"] == 1.0
    assert report["coverage"]["cells_of_an_episode"]["count"] == 4
    lines = summarise(report)
    assert any(
        "I(S;Z) in nats of 32 episodes, at most 1.39: final position 1.39" in x for x in lines
    )
    assert not any("objects" in line or "safety" in line for line in lines)
    off = EvaluationConfig(rollouts=4, goals=0, video=False, episodes_per_skill=0)
    report = evaluate(subject(COMPASS, steps=4), tmp_path, off)
    assert "as the settings say" in report["skill_information"]["message"]
