"""Worlds copied into others of the task: the same future under the same actions."""

from __future__ import annotations

import numpy as np
import pytest

import envs
from envs.backends.batch import BatchWorld

IDS = ["tabletop/push", "dmc/cheetah-run", "gym/Hopper-v5", "dmc/reacher-easy"]


def make(task_id: str, num_envs: int, seed: int, **options) -> BatchWorld:
    world = envs.make_vec(task_id, num_envs=num_envs, seed=seed, num_threads=1, **options)
    assert isinstance(world, BatchWorld)
    return world


def draw_actions(world: BatchWorld, steps: int) -> np.ndarray:
    space = world.single_action_space
    size = (steps, world.num_envs, *space.shape)
    return np.random.default_rng(3).uniform(space.low, space.high, size).astype(np.float32)


@pytest.mark.parametrize("task_id", IDS)
def test_copies_go_on_bit_for_bit_and_leave_the_source_alone(task_id: str) -> None:
    source, untouched = make(task_id, 3, seed=0), make(task_id, 3, seed=0)
    actions = draw_actions(source, 12)
    for world in (source, untouched):
        world.reset()
        for action in actions[:5]:
            world.step(action)
    chosen = np.array([2, 0, 0, 1, 2])
    copies = make(task_id, 5, seed=50)
    copies.reset()
    copies.step(draw_actions(copies, 1)[0])
    copies.copy_worlds(source, chosen)
    for action in actions[5:]:
        copied = copies.step(action[chosen])
        here, alone = source.step(action), untouched.step(action)
        for mine, theirs, same in zip(copied[:4], here[:4], alone[:4], strict=True):
            np.testing.assert_array_equal(mine, theirs[chosen])
            np.testing.assert_array_equal(theirs, same)
        for name, signal in copied[4]["signals"].items():
            np.testing.assert_array_equal(signal, here[4]["signals"][name][chosen])


def test_copies_end_their_episodes_when_the_source_does() -> None:
    source = make("dmc/cheetah-run", 2, seed=0, max_episode_steps=6)
    source.reset()
    copies = make("dmc/cheetah-run", 2, seed=9, max_episode_steps=6)
    for action in draw_actions(source, 4):
        source.step(action)
    copies.copy_worlds(source, np.array([1, 1]))
    ends = [copies.step(action)[3].all() for action in draw_actions(copies, 2)]
    assert ends == [False, True]


def test_what_cannot_be_copied_is_refused() -> None:
    source, copies = make("tabletop/push", 2, seed=0), make("tabletop/push", 3, seed=0)
    with pytest.raises(RuntimeError, match="reset"):
        copies.copy_worlds(source, np.array([0, 1, 0]))
    source.reset()
    for wrong in ([0, 1], [0, 1, 2], [0, -1, 0]):
        with pytest.raises(ValueError, match="one of the 2 worlds for each of 3 copies"):
            copies.copy_worlds(source, np.array(wrong))
    for other in (make("dmc/cheetah-run", 1, 0), make("tabletop/push", 1, 0, num_objects=2)):
        with pytest.raises(ValueError, match="cannot be copied into tabletop/push"):
            copies.copy_worlds(other, np.array([0, 0, 0]))


def test_worlds_name_the_parts_of_their_observation() -> None:
    push, explore = make("tabletop/push", 1, 0), make("tabletop/explore", 1, 0)
    assert push.observation_layout is not None
    assert explore.observation_layout is not None
    assert list(push.observation_layout) == [*explore.observation_layout, "goal"]
    assert envs.make_vec("gym/Pendulum-v1").observation_layout is None
