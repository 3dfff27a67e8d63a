"""Adapted worlds against the originals used directly: same seeds, same actions, same bits."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import adapter_envs  # noqa: F401 (registers the envs of these tests)
import gymnasium
import numpy as np
import pytest
import torch
from adapter_rollouts import actions_for, assert_same, follow
from dm_control import suite

from envs import make_vec
from envs.backends.adapter import AdapterWorld

SEEDS = (3, 4)
EPISODE = 10

GYMNASIUM_IDS = ("Pendulum-v1", "MountainCarContinuous-v0", "Swimmer-v5", "InvertedPendulum-v5")
SUITE_IDS = ("manipulator-bring_ball", "cartpole-three_poles", "swimmer-swimmer15", "lqr-lqr_2_1")


def check_against(
    world: AdapterWorld, originals: list[Callable[[np.ndarray | None], tuple[Any, ...]]]
) -> None:
    """`originals[i](None)` resets, and `originals[i](action)` steps, the original of world i."""
    obs, _ = world.reset()
    for i, original in enumerate(originals):
        np.testing.assert_array_equal(obs[i], original(None)[0])
    ends = np.zeros(world.num_envs, dtype=int)
    for action in actions_for(world):
        obs, reward, terminated, truncated, info = world.step(action)
        for i, original in enumerate(originals):
            expected, expected_reward, end, cut = original(action[i])
            assert (reward[i], terminated[i], truncated[i]) == (expected_reward, end, cut)
            if end or cut:
                ends[i] += 1
                assert info["_final_obs"][i]
                np.testing.assert_array_equal(info["final_obs"][i], expected)
                expected = original(None)[0]
            np.testing.assert_array_equal(obs[i], expected)
    assert (ends >= 2).all()


@pytest.mark.parametrize("name", GYMNASIUM_IDS)
def test_gymnasium_envs_equal_direct_use(name: str) -> None:
    world = make_vec(
        f"gym/{name}", num_envs=2, seed=SEEDS[0], dtype="float64", max_episode_steps=EPISODE
    )

    def original(seed: int) -> Callable[[np.ndarray | None], tuple[Any, ...]]:
        env = gymnasium.make(name, max_episode_steps=EPISODE)
        seeds = iter([seed])

        def call(action: np.ndarray | None) -> tuple[Any, ...]:
            return env.reset(seed=next(seeds, None)) if action is None else env.step(action)[:4]

        return call

    check_against(world, [original(seed) for seed in SEEDS])


@pytest.mark.parametrize("name", SUITE_IDS)
def test_suite_tasks_equal_direct_use(name: str) -> None:
    world = make_vec(
        f"dmc/{name}", num_envs=2, seed=SEEDS[0], dtype="float64", max_episode_steps=EPISODE
    )

    def original(seed: int) -> Callable[[np.ndarray | None], tuple[Any, ...]]:
        env = suite.load(*name.split("-"), task_kwargs={"random": seed})
        count = 0

        def call(action: np.ndarray | None) -> tuple[Any, ...]:
            nonlocal count
            step = env.reset() if action is None else env.step(action)
            count = 0 if action is None else count + 1
            obs = np.concatenate([np.ravel(part) for part in step.observation.values()])
            return obs, step.reward, False, count >= EPISODE

        return call

    check_against(world, [original(seed) for seed in SEEDS])


@pytest.mark.parametrize(
    "id_",
    [
        *[f"gym/{name}" for name in GYMNASIUM_IDS],
        *[f"dmc/{name}" for name in SUITE_IDS],
        "dmc/quadruped-escape",
        "gym/Humanoid-v5",
        "gym/Counting-v0",
    ],
)
def test_saved_worlds_go_on_bit_for_bit(id_: str) -> None:
    options: dict[str, Any] = {"num_envs": 2, "dtype": "float64", "max_episode_steps": EPISODE}
    world, other = make_vec(id_, seed=1, **options), make_vec(id_, seed=50, **options)
    world.reset()
    actions = actions_for(world)
    for action in actions[:14]:
        world.step(action)
    buffer = io.BytesIO()
    torch.save(_tensors(world.state_dict()), buffer)
    buffer.seek(0)
    other.load_state_dict(_arrays(torch.load(buffer, weights_only=True)))
    assert_same(follow(world, actions[14:]), follow(other, actions[14:]))


def _tensors(value: Any) -> Any:
    """What a checkpoint does: arrays become tensors, and nothing needs code to be loaded."""
    if isinstance(value, dict):
        return {key: _tensors(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_tensors(part) for part in value]
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _arrays(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_arrays(part) for part in value]
    return value.numpy() if isinstance(value, torch.Tensor) else value
