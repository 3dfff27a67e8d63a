"""Scripted hands solve the tabletop's tasks, and rewards pay what their definitions say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tabletop_policies import lift, play, push, stack

import envs
from envs.backends.batch import BatchWorld
from envs.tasks.tabletop.model import HALF_BOX

NUM = 16


def make(task_id: str, num_envs: int = NUM, **options: Any) -> BatchWorld:
    world = envs.make_vec(task_id, num_envs=num_envs, seed=0, dtype="float64", **options)
    assert isinstance(world, BatchWorld)
    return world


@pytest.mark.parametrize("num_objects", [2, 3])
@pytest.mark.parametrize(
    ("task_id", "policy"),
    [("tabletop/push", push), ("tabletop/lift", lift), ("tabletop/stack", stack)],
)
def test_a_scripted_hand_solves_the_task_within_all_limits(
    task_id: str, policy: Callable[[], Iterator[Any]], num_objects: int
) -> None:
    # A single box for pushing and lifting: a script pays no heed to boxes in the way.
    count = num_objects if task_id == "tabletop/stack" else num_objects - 1
    reward, signals = play(make(task_id, num_objects=count, reward="sparse"), policy())
    assert signals[0]["success"].sum() == 0
    assert signals[-1]["success"].mean() >= (1.0 if count <= 2 else 0.9)
    np.testing.assert_array_equal(reward, signals[-1]["success"][:, 0])
    assert all((each["violation"] == 0).all() for each in signals)
    touched = np.any([each["object_contact"][:, 0] for each in signals], axis=0)
    assert touched[signals[-1]["success"][:, 0] > 0].all()


def test_a_lifted_box_hangs_in_the_air_between_both_fingers() -> None:
    _, signals = play(make("tabletop/lift"), lift())
    last = signals[-1]
    np.testing.assert_array_equal(last["object_grasp"], 1)
    goals = last["goal_position"][:, 2]
    assert goals.min() < 0.13
    assert goals.max() > 0.15
    np.testing.assert_allclose(last["object_position"][:, 2], goals, atol=0.01)
    np.testing.assert_allclose(last["gripper_object_distance"], 0, atol=0.03)


def test_a_stack_stands_alone() -> None:
    world = make("tabletop/stack")
    _, signals = play(world, stack())
    for _ in range(20):
        info = world.step(np.tile([0.0, 0.0, 0.0, 1.0], (NUM, 1)))[4]
    last = info["signals"]
    np.testing.assert_array_equal(last["success"], 1)
    np.testing.assert_array_equal(last["object_contact"], 0)
    np.testing.assert_allclose(last["object_position"][:, 2], 3 * HALF_BOX, atol=1e-3)
    moved = last["object_position"][:, 3:] - signals[0]["object_position"][:, 3:]
    assert np.abs(moved).max() < 0.01, "the lower box has hardly been moved"


@pytest.mark.parametrize("task_id", ["tabletop/push", "tabletop/lift", "tabletop/stack"])
def test_doing_nothing_solves_nothing(task_id: str) -> None:
    world = make(task_id)
    _, info = world.reset()
    for _ in range(20):
        assert info["signals"]["success"].sum() == 0
        _, reward, _, _, info = world.step(np.zeros((NUM, 4)))
        assert ((reward > 0) & (reward < 0.9)).all()


def one_world(task_id: str, **options: Any) -> BatchWorld:
    world = make(task_id, 1, **options)
    world.reset()
    return world


def paid(world: BatchWorld) -> float:
    out = np.empty(1)
    world.task.reward(world._fields, np.zeros((1, 4)), out)
    return float(out[0])


def place(
    world: BatchWorld,
    *,
    tip: tuple[float, float, float],
    box: tuple[float, float, float],
    goal: tuple[float, float, float] | None = None,
    touches: tuple[int, ...] = (0, 0),
) -> None:
    fields = world._fields
    fields.qpos[0, :3], fields.qpos[0, 5:8] = tip, box
    fields.qvel[...] = 0
    if goal is not None:
        fields.mocap_pos[0, 0] = goal
    fields.sensordata[0, :2] = touches


def test_push_pays_by_hand() -> None:
    world = one_world("tabletop/push")
    place(world, tip=(0.1, 0, 0.0225), box=(0, 0, 0.0225), goal=(0, -0.2, 0.0225))
    # tanh(0.5) = 0.46211716 and tanh(1) = 0.76159416.
    assert paid(world) == pytest.approx(0.2 * 0.53788284 + 0.7 * 0.23840584, abs=1e-8)
    place(world, tip=(0.1, 0, 0.0225), box=(0, -0.151, 0.0225), goal=(0, -0.2, 0.0225))
    assert paid(world) == 1.0
    place(world, tip=(0.1, 0, 0.0225), box=(0, -0.149, 0.0225), goal=(0, -0.2, 0.0225))
    assert paid(world) < 0.9


def test_lift_pays_by_hand() -> None:
    world = one_world("tabletop/lift")
    place(world, tip=(0, 0, 0.0225), box=(0, 0, 0.0225), goal=(0, 0, 0.1225))
    assert paid(world) == pytest.approx(0.2 + 0.5 * 0.53788284, abs=1e-8)
    for touches, grasp in (((1, 0), 0.0), ((0, 1), 0.0), ((1, 1), 0.2)):
        place(world, tip=(0, 0, 0.0225), box=(0, 0, 0.0225), goal=(0, 0, 0.1225), touches=touches)
        assert paid(world) == pytest.approx(0.2 + grasp + 0.5 * 0.53788284, abs=1e-8)
    # Thrown past the goal is not lifted: both fingers have to hold it.
    place(world, tip=(0, 0, 0.12), box=(0, 0, 0.12), goal=(0, 0, 0.1225))
    assert paid(world) < 0.9
    place(world, tip=(0, 0, 0.12), box=(0, 0, 0.12), goal=(0, 0, 0.1225), touches=(1, 1))
    assert paid(world) == 1.0


def test_stack_pays_by_hand() -> None:
    world = one_world("tabletop/stack")
    world._fields.qpos[0, 12:15] = 0, 0, HALF_BOX
    top = 3 * HALF_BOX
    place(world, tip=(0, 0, top), box=(0, 0, top))
    assert paid(world) == 1.0
    place(world, tip=(0, 0, top), box=(0, 0, top), touches=(1, 0))
    assert paid(world) == pytest.approx(0.2 + 0.5), "not let go"
    place(world, tip=(0, 0, top), box=(0, 0, top))
    world._fields.qvel[0, 5] = 0.06
    assert paid(world) == pytest.approx(0.2 + 0.5), "still moving"
    for box in ((0.021, 0, top), (0, 0, top + 0.006), (0, 0, HALF_BOX)):
        place(world, tip=box, box=box)
        assert paid(world) < 0.9
    # 0.1 m beside the stack, the way leads 60 mm above: on it only the distance beside counts.
    place(world, tip=(0.1, 0, top), box=(0.1, 0, top + 0.06))
    reach = 1 - np.tanh(5 * 0.06)
    assert paid(world) == pytest.approx(0.2 * reach + 0.5 * 0.53788284, abs=1e-8)
    place(world, tip=(0.1, 0, top), box=(0.1, 0, top))
    assert paid(world) < 0.2 + 0.5 * 0.53788284


@pytest.mark.parametrize("task_id", ["tabletop/push", "tabletop/lift", "tabletop/stack"])
def test_goals_are_observed_and_lie_where_they_should(task_id: str) -> None:
    world = make(task_id, 200)
    obs, info = world.reset()
    signals = info["signals"]
    goal, box = signals["goal_position"], signals["object_position"][:, :3]
    np.testing.assert_array_equal(obs[:, -6:], np.concatenate((goal, goal - box), axis=1))
    np.testing.assert_allclose(
        signals["goal_distance"][:, 0], np.linalg.norm(goal - box, axis=1), rtol=1e-12
    )
    assert np.abs(goal[:, :2]).max() <= 0.12
    match task_id:
        case "tabletop/push":
            assert (np.linalg.norm(goal - box, axis=1) >= 0.1).all()
            np.testing.assert_array_equal(goal[:, 2], HALF_BOX)
        case "tabletop/lift":
            np.testing.assert_array_equal(goal[:, :2], box[:, :2])
            assert ((goal[:, 2] >= 0.1) & (goal[:, 2] < 0.18)).all()
        case "tabletop/stack":
            lower = signals["object_position"][:, 3:]
            np.testing.assert_allclose(goal - lower, np.tile([0, 0, 0.045], (200, 1)), atol=1e-12)


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="reward must be one of dense, sparse; got 'shaped'"):
        make("tabletop/push", reward="shaped")
    with pytest.raises(ValueError, match="num_objects must be 1 to 6, got 7"):
        make("tabletop/explore", num_objects=7)
    with pytest.raises(ValueError, match="num_objects of 2 or more, got 1"):
        make("tabletop/stack", num_objects=1)
    with pytest.raises(ValueError, match="did you mean num_objects"):
        make("tabletop/explore", num_object=1)
    with pytest.raises(ValueError, match="did you mean tabletop/explore"):
        make("tabletop/explor")
