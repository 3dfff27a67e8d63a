"""Worlds observed through pictures keep the contract of vector worlds."""

from __future__ import annotations

import numba
import numpy as np
import pytest

import envs
from envs.pixels import PixelSettings, make_renderer, stack_fields


def draw(num_envs: int, actions: np.ndarray) -> list[np.ndarray]:
    world = envs.make_vec("dmc/walker-walk", num_envs=num_envs, seed=3, pixels=True)
    seen = [world.reset()[0]]
    seen += [world.step(action[:num_envs])[0] for action in actions]
    world.close()
    return seen


def test_pictures_depend_on_neither_threads_nor_worlds() -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (4, 5, 6)).astype(np.float32)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = draw(2, actions)
        numba.set_num_threads(min(2, before))
        together = draw(5, actions)
    finally:
        numba.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other[:2])


def test_pictures_are_those_of_the_exported_simulations() -> None:
    settings = PixelSettings(frame_stack=1)
    world = envs.make_vec("dmc/reacher-hard", num_envs=2, seed=0, pixels=settings)
    world.reset()
    seen = world.step(np.ones((2, 2), np.float32))[0]
    for index in range(2):
        model, data = world.world.export(index)
        renderer = make_renderer("numba", model)
        picture = renderer.render(stack_fields([data], renderer.fields))[0]
        np.testing.assert_array_equal(seen[index], picture.transpose(2, 0, 1))
    world.close()


def test_a_stack_begins_with_the_first_picture_and_drops_the_oldest() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2, seed=0, pixels=True)
    first = world.reset()[0]
    assert world.observation_space.contains(first)
    assert first.shape == (2, 9, 64, 64)
    np.testing.assert_array_equal(first[:, :3], first[:, 6:])
    second = world.step(np.ones((2, 1), np.float32))[0]
    np.testing.assert_array_equal(second[:, :6], first[:, 3:])
    assert not np.array_equal(second[:, 6:], first[:, 6:])
    world.close()


@pytest.mark.parametrize("repeat", [1, 3])
def test_ends_within_an_action_repeat(repeat: int) -> None:
    """Against worlds stepped one by one by hand, some of whose episodes end by a fall."""
    settings = PixelSettings(frame_stack=2, action_repeat=repeat, state=True)
    options = {"seed": 1, "max_episode_steps": 40}
    world = envs.make_vec("gym/Hopper-v5", num_envs=3, pixels=settings, **options)
    twins = [
        envs.make_vec("gym/Hopper-v5", seed=1 + index, max_episode_steps=40) for index in range(3)
    ]
    obs, _ = world.reset()
    for index, twin in enumerate(twins):
        np.testing.assert_array_equal(twin.reset()[0][0], obs["state"][index])
    ends = 0
    for action in np.random.default_rng(0).uniform(-1, 1, (45, 3, 3)).astype(np.float32):
        before = obs["pixels"]
        obs, reward, terminated, truncated, info = world.step(action)
        for index, twin in enumerate(twins):
            gained = 0.0
            for _ in range(repeat):
                state, one, over, cut, news = twin.step(action[index : index + 1])
                gained += one[0]
                if over[0] or cut[0]:
                    break
            assert (terminated[index], truncated[index]) == (over[0], cut[0])
            assert reward[index] == pytest.approx(gained, abs=1e-12)
            np.testing.assert_array_equal(obs["state"][index], state[0])
            for name, value in news["signals"].items():
                np.testing.assert_array_equal(info["signals"][name][index], value[0])
            stack = obs["pixels"][index]
            if over[0] or cut[0]:
                ends += 1
                last = info["final_obs"]
                assert info["_final_obs"][index]
                np.testing.assert_array_equal(last["state"][index], news["final_obs"][0])
                np.testing.assert_array_equal(last["pixels"][index, :3], before[index, 3:])
                assert not np.array_equal(last["pixels"][index, 3:], stack[3:])
                np.testing.assert_array_equal(stack[:3], stack[3:])
            else:
                np.testing.assert_array_equal(stack[:3], before[index, 3:])
                assert "_final_obs" not in info or not info["_final_obs"][index]
    assert ends >= 2
    world.close()


def test_a_saved_state_goes_on_alike() -> None:
    world = envs.make_vec("dmc/cheetah-run", num_envs=2, seed=0, pixels=True)
    world.reset()
    actions = np.random.default_rng(0).uniform(-1, 1, (6, 2, 6)).astype(np.float32)
    for action in actions[:3]:
        world.step(action)
    saved = world.state_dict()
    first = [world.step(action)[0] for action in actions[3:]]
    world.load_state_dict(saved)
    for action, expected in zip(actions[3:], first, strict=True):
        np.testing.assert_array_equal(world.step(action)[0], expected)
    world.close()


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="frame_stack must be at least 1"):
        PixelSettings(frame_stack=0)
    with pytest.raises(ValueError, match="adapter"):
        envs.make_vec("gym/Pendulum-v1", pixels=True)
    with pytest.raises(ValueError, match="no camera 9"):
        envs.make_vec("dmc/cheetah-run", pixels=PixelSettings(camera=9))
