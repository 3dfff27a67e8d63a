"""What every native task owes its callers, whatever the task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import envs
from envs.tasks import TASKS
from envs.vector_world import VectorWorld

IDS = sorted(TASKS)
NUM = 3
EPISODE = 4


def make(task_id: str, **options: Any) -> VectorWorld:
    options = {"num_envs": NUM, "seed": 0, "max_episode_steps": EPISODE} | options
    return envs.make_vec(task_id, **options)


def draw_actions(world: VectorWorld, steps: int, seed: int = 0) -> np.ndarray:
    space = world.single_action_space
    low, high = np.maximum(space.low, -1.0), np.minimum(space.high, 1.0)
    shape = (steps, world.num_envs, *space.shape)
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def play(world: VectorWorld, actions: np.ndarray) -> list[np.ndarray]:
    """Everything that came back, flattened, in order."""
    kept: list[np.ndarray] = []
    for action in actions:
        obs, reward, terminated, truncated, info = world.step(action)
        kept += [obs, reward, terminated, truncated, *info["signals"].values()]
        if "final_obs" in info:
            kept += [info["final_obs"], info["_final_obs"], *info["final_signals"].values()]
    return kept


def assert_same(left: list[np.ndarray], right: list[np.ndarray]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("task_id", IDS)
def test_spaces_shapes_and_dtypes(task_id: str) -> None:
    world = make(task_id)
    width = world.single_observation_space.shape
    assert world.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert world.spec_id == task_id
    assert world.observation_space.shape == (NUM, *width)
    assert world.action_space.shape == (NUM, *world.single_action_space.shape)
    assert world.single_observation_space.dtype == np.float32
    obs, info = world.reset()
    assert (obs.shape, obs.dtype) == ((NUM, *width), np.float32)
    assert world.observation_space.contains(obs)
    obs, reward, terminated, truncated, info = world.step(draw_actions(world, 1)[0])
    assert world.observation_space.contains(obs)
    assert (reward.shape, reward.dtype) == ((NUM,), np.float64)
    assert (terminated.shape, terminated.dtype) == ((NUM,), np.bool_)
    assert (truncated.shape, truncated.dtype) == ((NUM,), np.bool_)
    shapes = {name: value.shape for name, value in info["signals"].items()}
    assert shapes == {name: (NUM, dim) for name, dim in world.signal_dims.items()}
    assert "position" in shapes
    assert make(task_id, dtype="float64").reset()[0].dtype == np.float64


@pytest.mark.parametrize("task_id", IDS)
def test_episodes_end_with_their_last_observation_and_go_on(task_id: str) -> None:
    world = make(task_id, dtype="float64")
    endless = make(task_id, dtype="float64", max_episode_steps=10 * EPISODE)
    world.reset()
    endless.reset()
    for count, action in enumerate(draw_actions(world, EPISODE), start=1):
        obs, _, terminated, truncated, info = world.step(action)
        unbroken, _, lost, _, unbroken_info = endless.step(action)
        assert not terminated.any(), "random actions must last this long"
        assert not lost.any()
        np.testing.assert_array_equal(truncated, count == EPISODE)
        assert ("final_obs" in info) == (count == EPISODE)
    np.testing.assert_array_equal(info["_final_obs"], True)
    np.testing.assert_array_equal(info["final_obs"], unbroken)
    for name, value in unbroken_info["signals"].items():
        np.testing.assert_array_equal(info["final_signals"][name], value)
    assert not np.array_equal(obs, unbroken), "the next episode has begun"
    _, _, _, truncated, info = world.step(draw_actions(world, 1)[0])
    assert not truncated.any()
    assert "final_obs" not in info
    assert "final_signals" not in info


@pytest.mark.parametrize("task_id", IDS)
def test_same_seed_same_bits(task_id: str) -> None:
    first, second = make(task_id), make(task_id, seed=99)
    actions = draw_actions(first, 3 * EPISODE)
    starts = [first.reset()[0], second.reset(seed=0)[0]]
    np.testing.assert_array_equal(*starts)
    assert_same(play(first, actions), play(second, actions))
    other = second.reset(seed=1)[0]
    np.testing.assert_array_equal(other[:-1], starts[0][1:])
    assert not np.array_equal(other, starts[0])


@pytest.mark.parametrize("task_id", IDS)
def test_a_world_does_not_notice_the_others(task_id: str) -> None:
    together = make(task_id, seed=0, max_episode_steps=None)
    together.reset()
    actions = draw_actions(together, 12)
    alone = make(task_id, seed=2, num_envs=1, max_episode_steps=None)
    alone.reset()
    for action in actions:
        crowd, own = together.step(action), alone.step(action[2:])
        for one, among in zip(own[:4], crowd[:4], strict=True):
            np.testing.assert_array_equal(one[0], among[2])
        for name, value in own[4]["signals"].items():
            np.testing.assert_array_equal(value[0], crowd[4]["signals"][name][2])


@pytest.mark.parametrize("task_id", IDS)
def test_resets_of_some_worlds_leave_the_others_alone(task_id: str) -> None:
    world, twin = make(task_id, max_episode_steps=6), make(task_id, max_episode_steps=None)
    mask = np.array([False, True, False])
    for each in (world, twin):
        each.reset()
        play(each, draw_actions(each, 3))
        each.reset(options={"reset_mask": mask})
    for action in draw_actions(world, 3, seed=1):
        obs, _, _, truncated, info = world.step(action)
        expected, _, terminated, _, expected_info = twin.step(action)
        assert not terminated.any()
    np.testing.assert_array_equal(truncated, ~mask)
    np.testing.assert_array_equal(obs[mask], expected[mask])
    np.testing.assert_array_equal(info["final_obs"][truncated], expected[truncated])
    starts, start_info = world.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(obs[truncated], starts[truncated])
    for name, value in info["signals"].items():
        np.testing.assert_array_equal(value[mask], expected_info["signals"][name][mask])
        np.testing.assert_array_equal(value[truncated], start_info["signals"][name][truncated])


@pytest.mark.parametrize("task_id", IDS)
def test_returned_arrays_belong_to_the_caller(task_id: str) -> None:
    world = make(task_id)
    obs, info = world.reset()
    returned = [obs, *info["signals"].values()]
    for action in draw_actions(world, 2 * EPISODE):
        copies = [array.copy() for array in returned]
        obs, reward, terminated, truncated, info = world.step(action)
        assert_same(returned, copies)
        returned = [obs, reward, terminated, truncated, *info["signals"].values()]


@pytest.mark.parametrize("task_id", IDS)
def test_saved_worlds_go_on_bit_for_bit(task_id: str) -> None:
    world = make(task_id)
    actions = draw_actions(world, 3 * EPISODE)
    world.reset()
    play(world, actions[: EPISODE + 2])
    state = world.state_dict()
    expected = play(world, actions[EPISODE + 2 :])
    assert_same(play(_restored(world, state), actions[EPISODE + 2 :]), expected)
    fresh = _restored(make(task_id, seed=7), state)
    assert_same(play(fresh, actions[EPISODE + 2 :]), expected)


def _restored(world: VectorWorld, state: dict[str, Any]) -> VectorWorld:
    world.load_state_dict(state)
    return world


@pytest.mark.parametrize("task_id", IDS)
def test_a_bad_action_moves_nothing(task_id: str) -> None:
    world, twin = make(task_id), make(task_id)
    world.reset()
    twin.reset()
    good = draw_actions(world, 1)[0]
    for value in (np.nan, np.inf, -np.inf):
        bad = good.copy()
        bad[1, -1] = value
        with pytest.raises(ValueError, match="world 1 is not finite"):
            world.step(bad)
    with pytest.raises(ValueError, match="wrong shape"):
        world.step(good[:, :-1])
    with pytest.raises(ValueError, match="world 2 has no action"):
        world.step(good[:2])
    with pytest.raises(ValueError, match="world 3 does not exist"):
        world.step(np.concatenate([good, good[:1]]))
    with pytest.raises(ValueError, match="dtype int"):
        world.step(np.zeros(good.shape, dtype=int))
    actions = draw_actions(world, EPISODE)
    assert_same(play(world, actions), play(twin, actions))


@pytest.mark.parametrize("task_id", ["dmc/cartpole-balance", "gym/Hopper-v5"])
def test_closed_worlds_say_so(task_id: str) -> None:
    world = make(task_id)
    world.reset()
    action = draw_actions(world, 1)[0]
    world.step(action)
    world.close()
    with pytest.raises(RuntimeError, match="closed: make them anew"):
        world.step(action)
