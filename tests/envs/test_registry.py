"""Making worlds by id, here and through gymnasium."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs.gymnasium_registration import gymnasium_id
from envs.seeding import make_source, restore_source, source_state, spread_seeds
from envs.tasks import TASKS
from envs.tasks.base import Task


def test_every_task_is_described_and_made() -> None:
    descriptions = envs.describe_tasks()
    assert list(descriptions) == sorted(TASKS)
    for task_id, description in descriptions.items():
        assert description.endswith("."), task_id
        assert 10 < len(description) <= 100, task_id
        assert isinstance(TASKS[task_id](), Task)


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_declares_the_signals_that_its_worlds_deliver(task_id: str) -> None:
    with closing(envs.make_vec(task_id, seed=0)) as world:
        delivered = tuple(world.signal_dims)
    factory: Any = TASKS[task_id]
    assert getattr(factory, "func", factory).signal_names == delivered
    assert task_id in envs.tasks_with_signals(delivered)


def test_tasks_are_found_by_all_of_the_signals_asked_for() -> None:
    assert set(envs.tasks_with_signals([])) == set(TASKS)
    assert "dmc/finger-spin" in envs.tasks_with_signals(["object_position"])
    both = envs.tasks_with_signals(["object_position", "violation"])
    assert both == ("tabletop/explore", "tabletop/lift", "tabletop/push", "tabletop/stack")
    assert envs.tasks_with_signals(["no_such_signal"]) == ()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("dmc/cheetah-rnu", "dmc/cheetah-run"),
        ("dmc/Cheetah-run", "dmc/cheetah-run"),
        ("cheetah-run", "dmc/cheetah-run"),
        ("gym/HalfCheeta-v5", "gym/HalfCheetah-v5"),
    ],
)
def test_unknown_id_names_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(ValueError, match=right):
        envs.make_vec(wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"num_threads": -1}, "num_threads must not be negative"),
        ({"max_episode_steps": 0}, "max_episode_steps must be at least 1"),
        ({"dtype": "float16"}, "dtype must be float32 or float64"),
        ({"backend": "gpu"}, "backend must be one of auto, cpu, warp"),
        ({"backend": "warp"}, "not available yet: use backend='cpu'"),
        ({"pixels": "yes"}, "pixels must be"),
        ({"resets": "sometimes"}, "resets must be one of pool, exact"),
        ({"seed": -1}, "seed -1 of world 0"),
        ({"terminate": False}, "no option 'terminate'"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        envs.make_vec("dmc/cheetah-run", **options)


def test_misspelt_task_option_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean ctrl_cost_weight"):
        envs.make_vec("gym/HalfCheetah-v5", control_cost_weight=0.5)


def test_task_options_reach_the_task() -> None:
    shown = envs.make_vec("gym/HalfCheetah-v5", exclude_current_positions_from_observation=False)
    hidden = envs.make_vec("gym/HalfCheetah-v5")
    assert shown.single_observation_space.shape == (18,)
    assert hidden.single_observation_space.shape == (17,)


@pytest.mark.parametrize("task_id", ["dmc/cheetah-run", "gym/Hopper-v5"])
@pytest.mark.filterwarnings("ignore:.*Box observation space:UserWarning")
def test_single_world_passes_gymnasiums_checker(task_id: str) -> None:
    check_env(gymnasium.make(gymnasium_id(task_id)).unwrapped, skip_render_check=True)


def test_gymnasium_makes_vector_worlds() -> None:
    for task_id in TASKS:
        assert gymnasium_id(task_id) in gymnasium.registry
    world = gymnasium.make_vec("rl_info/dmc-cheetah-run", num_envs=3, seed=4)
    native = envs.make_vec("dmc/cheetah-run", num_envs=3, seed=4)
    np.testing.assert_array_equal(world.reset()[0], native.reset()[0])


def test_single_world_is_gymnasiums_own_hopper_over_many_episodes() -> None:
    ours = gymnasium.make("rl_info/gym-Hopper-v5", dtype="float64")
    theirs = gymnasium.make("Hopper-v5")
    obs, expected = ours.reset(seed=3)[0], theirs.reset(seed=3)[0]
    rng, ends = np.random.default_rng(0), 0
    for _ in range(150):
        np.testing.assert_allclose(obs, expected, rtol=0, atol=1e-9)
        action = rng.uniform(-1, 1, 3).astype(np.float32)
        obs, reward, terminated, truncated, info = ours.step(action)
        expected, expected_reward, expected_end, _, _ = theirs.step(action)
        assert reward == pytest.approx(float(expected_reward), abs=1e-9)
        assert (terminated, truncated) == (expected_end, False)
        assert info["signals"]["position"].ndim == 1
        if terminated:
            ends += 1
            np.testing.assert_allclose(obs, expected, rtol=0, atol=1e-9)
            with pytest.raises(RuntimeError, match="call reset"):
                ours.unwrapped.step(action)
            obs, expected = ours.reset()[0], theirs.reset()[0]
    assert ends >= 3


@pytest.mark.parametrize(
    "script",
    [
        "import envs, gymnasium; gymnasium.make_vec('rl_info/dmc-cheetah-run', num_envs=2).reset()",
        "import gymnasium; gymnasium.make('envs:rl_info/dmc-cheetah-run').reset()",
        # The doctor has to start where a dependency is missing.
        "import sys; sys.modules['mujoco'] = None; import envs.gl",
    ],
)
def test_imports_register(script: str) -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=root, check=True)


@pytest.mark.parametrize("kind", ["random_state", "generator"])
def test_sources_go_on_from_their_saved_state(kind: Any) -> None:
    source = make_source(kind, 5)
    source.normal()
    state = source_state(source)
    expected = [source.normal(size=3), source.uniform(size=3)]
    other = make_source(kind, 6)
    restore_source(other, state)
    np.testing.assert_array_equal([other.normal(size=3), other.uniform(size=3)], expected)


def test_generator_is_gymnasiums() -> None:
    theirs, _ = gymnasium.utils.seeding.np_random(17)
    np.testing.assert_array_equal(
        make_source("generator", 17).uniform(size=9), theirs.uniform(size=9)
    )


def test_seeds_are_spread_or_given_one_each() -> None:
    assert spread_seeds(3, 3) == [3, 4, 5]
    assert spread_seeds([7, None], 2) == [7, None]
    assert spread_seeds(None, 2) == [None, None]
    with pytest.raises(ValueError, match="2 seeds for 3 worlds"):
        spread_seeds([1, 2], 3)


def test_unseeded_worlds_differ_from_one_another() -> None:
    first = envs.make_vec("dmc/pendulum-swingup", num_envs=2).reset()[0]
    assert not np.array_equal(first[0], first[1])
