"""Worlds of decisions: the contract of all worlds, and episodes that end inside a decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from hierarchy_cases import DirectionSkills, GoalWorld, LinearSkills
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from agents.hierarchy.skills import choose_skill
from agents.hierarchy.world import HierarchyWorld
from agents.training.errors import NonFiniteStepError
from envs.single_world import SingleWorld
from rl_info.skills import SkillSpec

HOPPER = "gym/Hopper-v5"
NUM, STEPS, LIMIT = 3, 7, 24
SPECS = [SkillSpec("continuous", 3), SkillSpec("discrete", 4)]


def make(spec: SkillSpec = SPECS[0], num_envs: int = NUM, seed: int = 0, **options: Any):
    limit = options.pop("limit", LIMIT)
    world = envs.make_vec(
        HOPPER, num_envs=num_envs, seed=seed, max_episode_steps=limit, num_threads=1
    )
    return HierarchyWorld(world, LinearSkills(world, spec), STEPS, seed=seed, **options)


def draw_choices(count: int, spec: SkillSpec = SPECS[0], num: int = NUM) -> np.ndarray:
    random = np.random.default_rng(3)
    return random.uniform(-1.0, 1.0, (count, num, spec.dim)).astype(np.float32)


def play(world: HierarchyWorld, choices: np.ndarray) -> list[np.ndarray]:
    """Everything that came back, flattened, in order."""
    kept: list[np.ndarray] = []
    for choice in choices:
        obs, reward, terminated, truncated, info = world.step(choice)
        kept += [obs, reward, terminated, truncated, info["env_steps"], *info["signals"].values()]
        if "final_obs" in info:
            ended = info["_final_obs"]
            kept += [ended, info["final_obs"][ended]]
            kept += [value[ended] for value in info["final_signals"].values()]
    return kept


def assert_same(left: list[np.ndarray], right: list[np.ndarray]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


def episode_seed(seed: int, episode: int) -> int:
    if episode == 0:
        return seed
    return int(np.random.SeedSequence([seed, episode]).generate_state(1)[0])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_decisions_equal_those_of_one_world_played_step_by_step(spec: SkillSpec) -> None:
    world = make(spec, seed=5)
    skills = LinearSkills(world._world, spec)
    choices = draw_choices(25, spec)
    obs, info = world.reset()
    outcomes = [world.step(choice) for choice in choices]
    early = ends = 0
    for index in range(NUM):
        env = SingleWorld(HOPPER, max_episode_steps=LIMIT, num_threads=1)
        episode = 0
        now, start = env.reset(seed=episode_seed(5 + index, episode))
        np.testing.assert_array_equal(obs[index], now)
        np.testing.assert_array_equal(
            info["signals"]["position"][index], start["signals"]["position"]
        )
        for choice, (then, reward, terminated, truncated, found) in zip(
            choices, outcomes, strict=True
        ):
            skill = choose_skill(spec, torch.from_numpy(choice[index : index + 1]))
            earned, taken, over, signals = 0.0, 0, (False, False), None
            while taken < STEPS:
                action = skills.act(torch.from_numpy(now[None]), skill)[0].numpy()
                now, pay, *over, signals = env.step(action)
                earned += pay
                taken += 1
                if any(over):
                    break
            assert (terminated[index], truncated[index]) == tuple(over)
            assert reward[index] == earned
            assert found["env_steps"][index] == taken
            if any(over):
                ends += 1
                early += taken < STEPS
                assert found["_final_obs"][index]
                np.testing.assert_array_equal(found["final_obs"][index], now)
                for name, value in signals["signals"].items():
                    np.testing.assert_array_equal(found["final_signals"][name][index], value)
                episode += 1
                now, signals = env.reset(seed=episode_seed(5 + index, episode))
            elif "_final_obs" in found:
                assert not found["_final_obs"][index]
            np.testing.assert_array_equal(then[index], now)
            for name, value in signals["signals"].items():
                np.testing.assert_array_equal(found["signals"][name][index], value)
        env.close()
    # Episodes did end inside decisions, and some of them at one, or there was nothing to compare.
    assert ends > early > 5
    assert any(info["_final_obs"].any() and not info["_final_obs"].all()
               for *_, info in outcomes if "_final_obs" in info)  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_spaces_shapes_and_dtypes(spec: SkillSpec) -> None:
    world = make(spec)
    assert world.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert world.spec_id == HOPPER
    assert world.single_action_space.shape == (spec.dim,)
    assert world.action_space.shape == (NUM, spec.dim)
    assert world.max_episode_steps == 4
    assert world.coverage_cell == world._world.coverage_cell
    obs, info = world.reset()
    assert world.observation_space.contains(obs)
    obs, reward, terminated, truncated, info = world.step(draw_choices(1, spec)[0])
    assert world.observation_space.contains(obs)
    assert (reward.shape, reward.dtype) == ((NUM,), np.float64)
    assert (terminated.dtype, truncated.dtype) == (np.bool_, np.bool_)
    assert info["env_steps"].tolist() == [STEPS] * NUM
    shapes = {name: value.shape for name, value in info["signals"].items()}
    assert shapes == {name: (NUM, dim) for name, dim in world.signal_dims.items()}


def test_same_seed_same_bits() -> None:
    first, second = make(), make(seed=99)
    choices = draw_choices(12)
    starts = [first.reset()[0], second.reset(seed=0)[0]]
    np.testing.assert_array_equal(*starts)
    assert_same(play(first, choices), play(second, choices))
    other = second.reset(seed=1)[0]
    np.testing.assert_array_equal(other[:-1], starts[0][1:])


def test_first_episodes_begin_as_those_of_the_task() -> None:
    task = envs.make_vec(HOPPER, num_envs=NUM, seed=4)
    np.testing.assert_array_equal(make(seed=4).reset()[0], task.reset()[0])


def test_without_a_seed_worlds_begin_anywhere() -> None:
    def world() -> HierarchyWorld:
        task = envs.make_vec(HOPPER, num_envs=1)
        return HierarchyWorld(task, LinearSkills(task, SPECS[0]), STEPS)

    assert not np.array_equal(world().reset()[0], world().reset()[0])


def test_a_world_does_not_notice_the_others() -> None:
    together, alone = make(), make(num_envs=1, seed=2)
    together.reset()
    alone.reset()
    for choice in draw_choices(15):
        crowd, own = together.step(choice), alone.step(choice[2:])
        for one, among in zip(own[:4], crowd[:4], strict=True):
            np.testing.assert_array_equal(one[0], among[2])
        assert own[4]["env_steps"][0] == crowd[4]["env_steps"][2]


def test_resets_of_some_worlds_leave_the_others_alone() -> None:
    world, twin = make(), make()
    mask = np.array([False, True, False])
    choices = draw_choices(6)
    for each in (world, twin):
        each.reset()
        play(each, choices[:1])
    before = world._obs.copy()
    obs, _ = world.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(obs[~mask], before[~mask])
    assert not np.array_equal(obs[mask], before[mask])
    for choice in choices[1:]:
        found, expected = world.step(choice), twin.step(choice)
        for one, other in zip(found[:4], expected[:4], strict=True):
            np.testing.assert_array_equal(one[~mask], other[~mask])


def test_returned_arrays_belong_to_the_caller() -> None:
    world, twin = make(), make()
    choices = draw_choices(8)
    for each in (world, twin):
        each.reset()
    expected = [twin.step(choice) for choice in choices]
    for choice, (obs, reward, *_) in zip(choices, expected, strict=True):
        found = world.step(choice)
        np.testing.assert_array_equal(found[0], obs)
        np.testing.assert_array_equal(found[1], reward)
        info = found[4]
        for array in [*found[:4], info["env_steps"], *info["signals"].values()]:
            array[...] = 0
        if "final_obs" in info:
            info["final_obs"][...] = 0


@pytest.mark.parametrize("sample", [False, True])
def test_saved_worlds_go_on_bit_for_bit(sample: bool) -> None:
    world = make(sample=sample)
    choices = draw_choices(20)
    world.reset()
    play(world, choices[:7])
    state = world.state_dict()
    expected = play(world, choices[7:])
    for each in (world, make(seed=7, sample=sample)):
        each.load_state_dict(state)
        assert_same(play(each, choices[7:]), expected)
    with pytest.raises(ValueError, match="saved state is of 3 worlds"):
        make(num_envs=2).load_state_dict(state)


def test_samples_differ_from_modes_and_a_seed_repeats_them() -> None:
    world = make(sample=True)
    choices = draw_choices(3)
    runs = []
    for _ in range(2):
        world.reset(seed=0)
        runs.append(play(world, choices))
    assert_same(*runs)
    mode = make()
    mode.reset(seed=0)
    assert not np.array_equal(play(mode, choices)[0], runs[0][0])


def test_a_bad_choice_moves_nothing() -> None:
    world, twin = make(), make()
    choices = draw_choices(5)
    with pytest.raises(RuntimeError, match="call reset"):
        world.step(choices[0])
    world.reset()
    twin.reset()
    bad = choices[0].copy()
    bad[1, 0] = np.nan
    with pytest.raises(ValueError, match="world 1 is not finite"):
        world.step(bad)
    with pytest.raises(ValueError, match="world 2 has no action"):
        world.step(choices[0][:2])
    assert_same(play(world, choices), play(twin, choices))
    world.close()
    with pytest.raises(RuntimeError, match="closed: make them anew"):
        world.step(choices[0])
    with pytest.raises(RuntimeError, match="closed"):
        world._world.step(np.zeros((NUM, 3), np.float32))


def test_a_value_that_is_not_finite_inside_a_decision_is_named() -> None:
    task = GoalWorld(3, broken=1)
    world = HierarchyWorld(task, DirectionSkills(task), 5, seed=0)
    world.reset()
    with pytest.raises(NonFiniteStepError, match="world 1 returned"):
        world.step(np.ones((3, 2), np.float32))
    with pytest.raises(RuntimeError, match="call reset"):
        world.step(np.ones((3, 2), np.float32))


def test_a_waiting_world_earns_and_counts_nothing() -> None:
    task = GoalWorld(2, steps=20, close=0.1)
    world = HierarchyWorld(task, DirectionSkills(task), 12, seed=0)
    obs, _ = world.reset()
    away = obs / np.linalg.norm(obs, axis=1, keepdims=True)
    away[1] *= -1.0
    _, reward, terminated, truncated, info = world.step(away.astype(np.float32))
    distance = float(np.linalg.norm(obs[0]))
    steps = int(np.ceil((distance - 0.1) / 0.1 - 1e-6))
    assert (terminated.tolist(), truncated.tolist()) == ([True, False], [False, False])
    assert info["env_steps"].tolist() == [steps, 12]
    np.testing.assert_allclose(
        reward[0], -sum(distance - 0.1 * (t + 1) for t in range(steps)), rtol=1e-5
    )
    assert np.linalg.norm(info["final_obs"][0]) <= 0.1
    assert 0.5 <= np.linalg.norm(world._obs[0]) <= 1.0
    assert task.elapsed.tolist() == [0, 12]


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6),
    st.sampled_from(["continuous", "discrete"]),
)
@settings(max_examples=100, deadline=None)
def test_every_choice_is_a_skill(numbers: list[float], kind: Any) -> None:
    if kind == "discrete" and len(numbers) == 1:
        numbers = [*numbers, 0.0]
    choice = torch.tensor([numbers])
    skill = choose_skill(SkillSpec(kind, len(numbers)), choice)[0]
    if kind == "discrete":
        assert sorted(skill.tolist()) == [0.0] * (len(numbers) - 1) + [1.0]
        assert choice[0, skill.argmax()] == choice.max()
        return
    length = float(choice.norm())
    if length <= 1:
        assert torch.equal(skill, choice[0])
        return
    assert skill.norm().item() == pytest.approx(1.0, abs=1e-5)
    assert float(skill @ choice[0]) == pytest.approx(length, abs=1e-5)
