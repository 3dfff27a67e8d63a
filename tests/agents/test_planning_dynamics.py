"""Skill dynamics where the truth is known, and the simulator against the worlds themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from plane_world import FollowSkill, PlaneWorld

import envs
from agents.errors import UsageError
from agents.planning.aim import Aim, GoalDistance, PlanningState, find_aim
from agents.planning.fit import FitConfig, fit_dynamics, held_out_errors
from agents.planning.frozen_policy import FrozenPolicy, freeze
from agents.planning.goals import draw_goals
from agents.planning.outcomes import Outcomes, summarise_outcomes
from agents.planning.planners import PlannerConfig, mppi
from agents.planning.proposals import start_proposal
from agents.planning.simulator import Simulator, simulator_of
from agents.planning.skill_dynamics import SkillDynamics
from agents.planning.skill_segments import SkillSegments, collect_segments
from agents.training.collector import ActionScale
from envs.backends.batch import BatchWorld
from rl_info.skills import SkillSpec

CIRCLE = SkillSpec("continuous", 2)
SKILL_STEPS, SPEED = 4, 0.25
PLANE = Aim("position", 2, None)
PARTS = {"observation": slice(0, 2)}


def plane_policy() -> FrozenPolicy:
    return FrozenPolicy(FollowSkill(), torch.arange(2), PARTS)


def plane_segments(steps: int = 4_000, **options) -> SkillSegments:
    def make(count: int, seed: int) -> PlaneWorld:
        return PlaneWorld(count, seed, speed=SPEED, **options)

    return collect_segments(
        plane_policy(), make, CIRCLE, PLANE,
        num_envs=20, env_steps=steps, skill_steps=SKILL_STEPS, seed=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def learned() -> tuple[SkillDynamics, SkillSegments]:
    """In the plane a skill moves the point by speed · steps = 1 m in its own direction."""
    training, kept = plane_segments().split(0.2, seed=0)
    config = FitConfig(members=3, hidden_dim=32, gradient_steps=400)
    generator = torch.Generator().manual_seed(0)
    return fit_dynamics(training, SKILL_STEPS, config, generator), kept


def test_segments_hold_what_skills_did():
    data = plane_segments(edge=2.2)
    assert data.obs.shape == (200, 6, 2)
    moved = data.places[:, 1:] - data.places[:, :-1]
    expected = SPEED * SKILL_STEPS * data.skills
    np.testing.assert_allclose(moved[data.held], expected[data.held], atol=1e-5)
    # Some episodes end at the edge; from then on no skill counts as held.
    ended = ~data.held
    assert 0 < ended.sum() < data.held.size
    assert (ended[:, 1:] >= ended[:, :-1]).all()
    assert (np.linalg.norm(data.places, axis=-1)[:, :-1][data.held] < 2.2).all()


def test_skills_change_in_every_segment_and_between_worlds():
    skills = plane_segments().skills
    assert len(np.unique(skills.reshape(-1, 2), axis=0)) == skills.shape[0] * skills.shape[1]
    np.testing.assert_array_equal(skills, plane_segments().skills)


def test_windows_are_runs_of_held_segments():
    held = np.array([[True, True, False], [True, True, True]])
    data = SkillSegments(
        np.zeros((2, 4, 1), np.float32), np.zeros((2, 4, 1), np.float32),
        np.zeros((2, 3, 1), np.float32), held,
    )  # fmt: skip
    episode, first = data.windows(2)
    assert list(zip(episode.tolist(), first.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 1)]
    assert len(data.windows(4)[0]) == 0


def test_episodes_are_split_whole():
    data = plane_segments()
    training, kept = data.split(0.1, seed=1)
    assert len(kept.obs) == 20
    together = np.concatenate([training.obs, kept.obs])[:, 0, 0]
    np.testing.assert_array_equal(np.sort(together), np.sort(data.obs[:, 0, 0]))


def test_learns_known_skill_dynamics(learned):
    model, kept = learned
    errors = held_out_errors(model, kept, PARTS, horizon=6)
    # Random directions of 1 m each: the mean distance after one is 1 m, after 5 about 2 m.
    one, five = errors["place_m"]["1"], errors["place_m"]["5"]
    assert one["nothing_changes"] == pytest.approx(1.0, abs=1e-4)
    assert one["model"] < 0.05
    assert five["nothing_changes"] == pytest.approx(math.sqrt(5) * 0.886, rel=0.25)
    assert five["model"] < 0.25
    assert five["samples"] == len(kept.obs)
    assert errors["place_m"]["6"] is None
    rms = errors["parts_rmse"]["observation"]
    # Each of two coordinates changes by 1/√2 m in the root mean square.
    assert rms["nothing_changes"] == pytest.approx(math.sqrt(0.5), rel=1e-3)
    assert rms["model"] < 0.05


def test_held_out_errors_are_those_of_a_hand_count(learned):
    model, kept = learned
    two = kept.rows(np.array([0, 1]))
    errors = held_out_errors(model, two, PARTS, horizon=2)["place_m"]["2"]
    gaps, still = [], []
    for episode in range(2):
        for first in range(4):
            obs = torch.from_numpy(two.obs[episode, first][None])
            ends = []
            for member in range(3):
                state = place = obs
                for step in (first, first + 1):
                    skill = torch.from_numpy(two.skills[episode, step][None])
                    change = model.change(state.expand(3, -1, -1), skill.expand(3, -1, -1))
                    # Place and observation are the same here, and both are foreseen.
                    state = state + change[member, :, :2]
                    place = place + change[member, :, 2:]
                ends.append(place)
            gap = torch.stack(ends).mean(dim=0)[0].numpy() - two.places[episode, first + 2]
            gaps.append(np.linalg.norm(gap))
            still.append(
                np.linalg.norm(two.places[episode, first] - two.places[episode, first + 2])
            )
    assert errors["model"] == pytest.approx(np.mean(gaps), rel=1e-4)
    assert errors["nothing_changes"] == pytest.approx(np.mean(still), rel=1e-4)


def test_a_plan_through_learned_dynamics_leads_to_the_goal(learned):
    model, _ = learned
    goal = torch.tensor([[2.0, 2.0], [-3.0, 0.0], [0.0, -2.0]])
    obs = torch.zeros(3, 2)
    state = PlanningState(obs, obs, obs)
    start = start_proposal(CIRCLE, 3, 3, std=0.5)
    config = PlannerConfig(samples=128, iterations=4)
    found = mppi(
        model, GoalDistance(goal), state, start, config, torch.Generator().manual_seed(0)
    ).skills
    end = (found * SPEED * SKILL_STEPS).sum(dim=1)
    assert ((end - goal).norm(dim=-1) < 0.35).all()


def test_predictions_do_not_depend_on_what_is_asked_at_the_same_time(learned, monkeypatch):
    model, kept = learned
    obs = torch.from_numpy(kept.obs[:6, 0])
    skills = CIRCLE.sample(6 * 4 * 3, torch.Generator().manual_seed(0)).reshape(6, 4, 3, 2)
    whole = model.predict(PlanningState(obs, obs, obs), skills)
    monkeypatch.setattr("agents.planning.skill_dynamics.MOST_ROWS", 24)
    parts = model.predict(PlanningState(obs, obs, obs), skills)
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-5)


def test_equal_seeds_learn_equal_models_and_files_bring_them_back(learned, tmp_path):
    training, kept = plane_segments(800).split(0.2, seed=0)
    config = FitConfig(members=2, hidden_dim=8, gradient_steps=5)
    models = [
        fit_dynamics(training, SKILL_STEPS, config, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    states = [model.state_dict() for model in models]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["net.weights.0"], states[2]["net.weights.0"])
    models[0].save(tmp_path / "model.safetensors")
    loaded = SkillDynamics.load(tmp_path / "model.safetensors")
    assert loaded.shape == models[0].shape
    obs = torch.from_numpy(kept.obs[:2, 0])
    skills = CIRCLE.sample(2, torch.Generator().manual_seed(0)).reshape(2, 1, 1, 2)
    state = PlanningState(obs, obs, obs)
    assert torch.equal(loaded.predict(state, skills), models[0].predict(state, skills))


def test_data_without_a_whole_skill_is_refused():
    data = plane_segments(800, edge=0.3)
    data.held[:] = False
    with pytest.raises(ValueError, match="lower skill-steps"):
        fit_dynamics(data, 4, FitConfig(gradient_steps=1), torch.Generator())
    with pytest.raises(ValueError, match="do not fit episodes of 20"):
        collect_segments(
            plane_policy(), PlaneWorld, CIRCLE, PLANE,
            num_envs=1, env_steps=1, skill_steps=21, seed=0,
        )  # fmt: skip


class Steer:
    """Reads the whole observation of tabletop/explore and turns it, and the skill, into actions."""

    device = torch.device("cpu")

    def act(self, obs: torch.Tensor, skill: torch.Tensor, deterministic: bool = False):
        assert obs.shape[1] == 29
        drift = torch.tanh(5 * obs[:, -3:-1] + 0.3 * obs[:, 3:5])
        still = torch.zeros(len(obs), 2)
        return torch.cat([0.5 * skill - 0.5 * drift, still - 0.4], dim=1)


def tabletop(task: str, count: int, seed: int = 0, **options) -> BatchWorld:
    world = envs.make_vec(task, num_envs=count, seed=seed, num_threads=1, **options)
    assert isinstance(world, BatchWorld)
    return world


def test_a_policy_reads_the_parts_that_it_knows():
    explore, push = tabletop("tabletop/explore", 1), tabletop("tabletop/push", 2)
    policy = freeze(Steer(), explore, push)
    obs = torch.from_numpy(push.reset(seed=0)[0])
    assert torch.equal(policy.known(obs), obs[:, :29])
    assert policy.act(obs, torch.zeros(2, 2)).shape == (2, 4)
    assert list(policy.parts) == list(explore.observation_layout or {})


def test_policies_that_do_not_fit_are_refused_with_the_reason():
    explore = tabletop("tabletop/explore", 1)
    with pytest.raises(UsageError, match="its observation lacks goal"):
        freeze(Steer(), tabletop("tabletop/push", 1), explore)
    with pytest.raises(UsageError, match="objects has 36 numbers instead of 18"):
        freeze(Steer(), explore, tabletop("tabletop/push", 1, num_objects=2))
    with pytest.raises(UsageError, match="actions have 6 numbers instead of 4"):
        freeze(Steer(), explore, tabletop("dmc/cheetah-run", 1))
    with pytest.raises(UsageError, match="its observation lacks observation of"):
        freeze(FollowSkill(), PlaneWorld(1), _renamed(PlaneWorld(1)))


def _renamed(world: PlaneWorld) -> PlaneWorld:
    world.spec_id = "test/other"
    return world


@pytest.mark.parametrize("task", ["tabletop/push", "gym/HalfCheetah-v5"])
def test_the_simulator_foresees_exactly(task, monkeypatch):
    monkeypatch.setattr("agents.planning.simulator.MOST_COPIES", 8)
    spec = SkillSpec("continuous", 2)
    actions = tabletop(task, 1).single_action_space.shape[0]

    class Fixed:
        device = torch.device("cpu")

        def act(self, obs, skill, deterministic=False):
            return torch.tanh(skill.repeat(1, actions)[:, :actions] + obs[:, :actions])

    world = tabletop(task, 3, max_episode_steps=30)
    obs = world.reset(seed=0)[0]
    scale = ActionScale(world.single_action_space)
    policy, aim = Fixed(), find_aim(world)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        start = torch.from_numpy(obs)
        obs, _, _, _, info = world.step(scale(policy.act(start, torch.ones(3, 2)).numpy()))
    rows = torch.from_numpy(obs)
    state = PlanningState(rows, rows, torch.from_numpy(aim.places(info["signals"])))
    skills = spec.sample(3 * 5 * 2, generator).reshape(3, 5, 2, 2)
    make = lambda count, seed: tabletop(task, count, seed, max_episode_steps=30)  # noqa: E731
    before = world.state_dict()["simulations"]["state"]
    with simulator_of(world, make, policy, aim, skill_steps=3, samples=5) as simulator:
        assert simulator.copies.num_envs == 8
        foreseen = simulator.predict(state, skills)
    np.testing.assert_array_equal(world.state_dict()["simulations"]["state"], before)
    assert foreseen.shape == (1, 3, 5, 2, aim.width)
    for index in range(2):
        for _ in range(3):
            action = policy.act(torch.from_numpy(obs), skills[:, 2, index])
            obs, _, _, _, info = world.step(scale(action.numpy()))
        np.testing.assert_array_equal(foreseen[0, :, 2, index], aim.places(info["signals"]))


def test_a_copy_stays_where_its_episode_ended():
    world = tabletop("gym/HalfCheetah-v5", 2, max_episode_steps=6)
    copies = tabletop("gym/HalfCheetah-v5", 4, seed=9, max_episode_steps=6)
    obs, info = world.reset(seed=0)
    aim = find_aim(world)

    class Forward:
        device = torch.device("cpu")

        def act(self, obs, skill, deterministic=False):
            return torch.ones(len(obs), 6)

    rows = torch.from_numpy(obs)
    state = PlanningState(rows, rows, torch.from_numpy(aim.places(info["signals"])))
    simulator = Simulator(world, copies, Forward(), aim, skill_steps=4)
    foreseen = simulator.predict(state, torch.zeros(2, 2, 3, 1))
    for _ in range(6):
        *_, info = world.step(np.ones((2, 6), dtype=np.float32))
    expected = aim.places(info["final_signals"])
    for index in (1, 2):
        np.testing.assert_array_equal(foreseen[0, :, 0, index], expected)


def test_worlds_without_a_place_or_copies_say_so():
    with pytest.raises(ValueError, match="'goal_position' and 'object_position', or 'position'"):
        find_aim(PlaneWorld(1, with_position=False))
    assert find_aim(PlaneWorld(1, dims=3)) == Aim("position", 2, None)
    assert find_aim(tabletop("tabletop/lift", 1)) == Aim("object_position", 3, "goal_position")
    with (
        pytest.raises(UsageError, match="--model learned"),
        simulator_of(PlaneWorld(1), PlaneWorld, FollowSkill(), PLANE, 1, 1),
    ):
        pass


def test_goals_are_visited_places_and_spread_over_them():
    data = plane_segments()
    goals = draw_goals(data, 50, seed=0)
    visited = {tuple(place) for place in data.places.reshape(-1, 2).tolist()}
    assert {tuple(place) for place in goals.place.tolist()} <= visited
    np.testing.assert_array_equal(goals.obs, goals.place)
    reach = np.abs(data.places).max()
    assert np.abs(goals.place).max() > 0.6 * reach


def test_success_counts_episodes_that_begin_away_from_the_goal():
    places = np.zeros((4, 3, 1), dtype=np.float32)
    places[:, :, 0] = [[0, 1, 2], [0, 2, 1], [0, 0, 0], [2, 2, 2]]
    goal = np.full((4, 1), 2.0, dtype=np.float32)
    success = np.abs(places - goal[:, None])[..., 0] < 0.5
    found = summarise_outcomes(Outcomes(places, goal, success, np.arange(4.0)), seed=0)
    assert found["success"]["count"] == 3
    assert found["success"]["value"] == pytest.approx(2 / 3)
    assert found["success_at_end"]["value"] == pytest.approx(1 / 3)
    assert found["final_distance_m"]["value"] == pytest.approx((0 + 1 + 2 + 0) / 4)
    assert found["closest_distance_m"]["value"] == pytest.approx((0 + 0 + 2 + 0) / 4)
    assert found["return"]["value"] == pytest.approx(1.5)
    # Wilson's interval of 2 in 3.
    assert found["success"]["low"] == pytest.approx(0.2077, abs=1e-3)
