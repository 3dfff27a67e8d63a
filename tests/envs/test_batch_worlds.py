"""The CPU backend: independence of worlds and threads, resets, failures, the fused kernel."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from dm_control import suite
from mujoco.batch import SimulationError

import envs
from envs.backends.batch import BatchWorld
from envs.backends.initial_states import POOL_SIZE, PooledInitialStates
from envs.errors import PhysicsError
from envs.tasks import TASKS
from envs.tasks.dmc.cheetah import Cheetah
from envs.vector_world import VectorWorld

# One of each kind: pooled resets, per-world model fields, terminations, contact wrenches.
KINDS = ("dmc/cheetah-run", "dmc/reacher-hard", "gym/Hopper-v5", "gym/Ant-v5")


def make(task_id: str, num_envs: int, seed: int = 0, num_threads: int = 1) -> VectorWorld:
    return envs.make_vec(
        task_id,
        num_envs=num_envs,
        seed=seed,
        num_threads=num_threads,
        max_episode_steps=7,
        dtype="float64",
    )


def record(world: VectorWorld, actions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Observations (T, N, D), rewards (T, N) and signals (T, N, d) of a run from reset."""
    obs, info = world.reset()
    columns = [(obs, np.zeros(world.num_envs), info["signals"]["position"])]
    for action in actions:
        obs, reward, _, _, info = world.step(action)
        columns.append((obs, reward, info["signals"]["position"]))
    return tuple(np.stack(column) for column in zip(*columns, strict=True))


def actions_for(task_id: str, steps: int, num_envs: int) -> np.ndarray:
    size = make(task_id, 1).single_action_space.shape[0]
    return np.random.default_rng(0).uniform(-1, 1, (steps, num_envs, size))


@pytest.mark.parametrize("task_id", KINDS)
def test_world_is_the_same_alone_or_among_64(task_id: str) -> None:
    actions = actions_for(task_id, 20, 64)
    together = record(make(task_id, 64), actions)
    for world in (0, 13, 63):
        alone = record(make(task_id, 1, seed=world), actions[:, world : world + 1])
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[:, 0], all_of_them[:, world])


@pytest.mark.parametrize("task_id", KINDS)
def test_threads_change_nothing(task_id: str) -> None:
    actions = actions_for(task_id, 20, 16)
    single = record(make(task_id, 16), actions)
    for threads in (2, 5):
        for one, other in zip(
            single, record(make(task_id, 16, num_threads=threads), actions), strict=True
        ):
            np.testing.assert_array_equal(one, other)


FUSED = sorted(task_id for task_id in TASKS if TASKS[task_id]().fused() is not None)
OPTIONS: dict[str, list[dict]] = {
    "gym/Ant-v5": [
        {},
        {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0},
        {"exclude_current_positions_from_observation": False, "healthy_z_range": (0.5, 0.7)},
    ]
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("task_id", "options"), [(name, each) for name in FUSED for each in OPTIONS.get(name, [{}])]
)
def test_fused_kernel_writes_what_the_definition_writes(
    task_id: str, options: dict, dtype: Literal["float32", "float64"]
) -> None:
    world = envs.make_vec(task_id, num_envs=16, seed=0, dtype=dtype, **options)
    assert isinstance(world, BatchWorld)
    world.reset()
    task, rng, rewards = world.task, np.random.default_rng(0), []
    kernel = task.fused()
    assert kernel is not None
    low, high = task.action_bounds()
    for count in range(60):
        action = 1.2 * rng.uniform(low, high, (16, len(low))).astype(dtype)
        # Kicks reach fast and fallen states, which random actions alone do not.
        if count % 10 == 9:
            world._fields.qvel[...] += rng.normal(0, 5, world._fields.qvel.shape)
        world._simulations.step(action)
        fields = world._fields
        obs, expected_obs = world._new_observations(), world._new_observations()
        reward, expected = np.full(16, np.nan), np.full(16, np.nan)
        terminated, expected_end = rng.random((2, 16)) < 0.5
        kernel(fields, action, obs, reward, terminated)
        task.observe(fields, expected_obs)
        task.reward(fields, action, expected)
        task.terminated(fields, expected_end)
        np.testing.assert_array_equal(terminated, expected_end)
        np.testing.assert_array_equal(obs, expected_obs)
        np.testing.assert_allclose(reward, expected, rtol=1e-14, atol=1e-14)
        rewards.append(reward)
    assert np.unique(rewards).size > 100


def test_exact_resets_are_the_suites_across_full_episodes() -> None:
    seeds = [11, 3]
    originals = [suite.load("cheetah", "run", task_kwargs={"random": seed}) for seed in seeds]
    world = envs.make_vec("dmc/cheetah-run", num_envs=2, resets="exact", dtype="float64")
    obs, _ = world.reset(seed=seeds)
    steps = [original.reset() for original in originals]
    rng = np.random.default_rng(0)
    for _ in range(2005):
        expected = [np.concatenate(list(step.observation.values())) for step in steps]
        np.testing.assert_array_equal(obs, expected)
        action = rng.uniform(-1, 1, (2, 6))
        obs, reward, _, truncated, _ = world.step(action)
        steps = [original.step(each) for original, each in zip(originals, action, strict=True)]
        np.testing.assert_array_equal(reward, [step.reward for step in steps])
        np.testing.assert_array_equal(truncated, [step.last() for step in steps])
        steps = [
            original.reset() if step.last() else step
            for original, step in zip(originals, steps, strict=True)
        ]


def test_pool_is_fixed_and_holds_exact_initial_states() -> None:
    def first_obs(num_envs: int, seed: int, resets: str) -> np.ndarray:
        world = envs.make_vec("dmc/cheetah-run", num_envs=num_envs, seed=seed, resets=resets)
        return world.reset()[0]

    pooled = first_obs(400, 0, "pool")
    states = np.unique(pooled, axis=0)
    # 400 draws of 64 leave each out with probability 0.002.
    assert POOL_SIZE - 3 <= len(states) <= POOL_SIZE
    again = np.unique(first_obs(400, 12_345, "pool"), axis=0)
    assert len(np.unique(np.concatenate([states, again]), axis=0)) <= POOL_SIZE
    exact = first_obs(400, 0, "exact")
    assert len(np.unique(exact, axis=0)) == 400
    # Draws of one distribution: means apart by no more than sampling allows.
    error = exact.std(axis=0) * np.sqrt(1 / POOL_SIZE + 1 / 400)
    assert (np.abs(exact.mean(axis=0) - states.mean(axis=0)) < 5 * error + 1e-6).all()


def test_only_tasks_that_settle_are_pooled() -> None:
    cheetah = envs.make_vec("dmc/cheetah-run")
    pendulum = envs.make_vec("dmc/pendulum-swingup", resets="pool")
    assert isinstance(cheetah, BatchWorld)
    assert isinstance(pendulum, BatchWorld)
    assert isinstance(cheetah._initial_states, PooledInitialStates)
    assert not isinstance(pendulum._initial_states, PooledInitialStates)


def test_broken_physics_names_worlds_and_step_and_demands_a_reset() -> None:
    world = envs.make_vec("dmc/cheetah-run", num_envs=4, seed=0)
    assert isinstance(world, BatchWorld)
    world.reset()
    action = np.zeros((4, 6), dtype=np.float32)
    world.step(action)
    state = world.state_dict()
    world._fields.qvel[[1, 3]] = 1e20
    with pytest.raises(PhysicsError, match=r"step 2 in world 1, 3: mjWARN_BAD") as caught:
        world.step(action)
    assert caught.value.worlds == (1, 3)
    with pytest.raises(RuntimeError, match="call reset"):
        world.step(action)
    world.load_state_dict(state)
    assert np.isfinite(world.step(action)[0]).all()
    assert np.isfinite(world.reset()[0]).all()
    world.step(action)


def test_an_engine_error_names_worlds_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=3, seed=0)
    assert isinstance(world, BatchWorld)
    world.reset()

    def fail(*_: object) -> None:
        # Worlds that only warned in the step that failed are no news for the next one.
        world._simulations._warnings[0] += 1
        raise SimulationError(np.array([2]), "stack overflow", 3)

    with monkeypatch.context() as patch:
        patch.setattr(world._simulations._batch, "step", fail)
        with pytest.raises(PhysicsError, match=r"step 1 in world 2: .*stack overflow") as caught:
            world.step(np.zeros((3, 1)))
    assert caught.value.worlds == (2,)
    world.reset()
    world.step(np.zeros((3, 1)))


def test_huge_but_finite_actions_are_taken() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2, seed=0)
    world.reset()
    with np.errstate(over="ignore"):
        world.step(np.full((2, 1), 1e30, dtype=np.float32))


def test_lists_of_actions_are_taken_and_ragged_ones_named() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2, seed=0)
    world.reset()
    world.step([np.zeros(1), [0.5]])
    with pytest.raises(ValueError, match=r"world 1 has shape \(2,\)"):
        world.step([np.zeros(1), np.zeros(2)])
    with pytest.raises(ValueError, match="world 1 has no action"):
        world.step([np.zeros(1)])
    for bad, message in (
        ([np.zeros(1), ["a"]], "world 1 has dtype <U1"),
        ([np.zeros(1), [1j]], "world 1 has dtype complex128"),
        ([[0.0], [[0.0], [0.0, 0.0]]], "world 1 is ragged"),
    ):
        with pytest.raises(ValueError, match=message):
            world.step(bad)


@pytest.mark.parametrize("dtype", [np.longdouble, ">f4", ">f8"])
def test_floats_that_compiled_rewards_do_not_know_move_nothing(dtype: str | type) -> None:
    world, twin = make("gym/Ant-v5", 2), make("gym/Ant-v5", 2)
    world.reset()
    twin.reset()
    with pytest.raises(ValueError, match="world 0 has dtype"):
        world.step(np.zeros((2, 8), dtype))
    action = np.full((2, 8), 0.25)
    np.testing.assert_array_equal(world.step(action)[0], twin.step(action)[0])


@pytest.mark.parametrize("size", [(0, 8), (8, 0), (-1, 8)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=1, seed=0)
    world.reset()
    with pytest.raises(ValueError, match="at least one pixel"):
        world.render(0, *size)


def test_a_failing_reset_inside_a_step_demands_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2, seed=0, max_episode_steps=1)
    assert isinstance(world, BatchWorld)
    world.reset()

    def fail(*_: object) -> None:
        raise FloatingPointError("a deliberate fault")

    with monkeypatch.context() as patch:
        patch.setattr(world._initial_states, "draw", fail)
        with pytest.raises(FloatingPointError):
            world.step(np.zeros((2, 1)))
    with pytest.raises(RuntimeError, match="call reset"):
        world.step(np.zeros((2, 1)))
    world.reset()
    world.step(np.zeros((2, 1)))


def test_one_failure_does_not_repeat_after_reset() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2, seed=0)
    assert isinstance(world, BatchWorld)
    world.reset()
    world._fields.qvel[0] = np.nan
    with pytest.raises(PhysicsError, match="world 0"):
        world.step(np.zeros((2, 1)))
    world.reset()
    for _ in range(5):
        world.step(np.zeros((2, 1)))


def test_reset_mask_begins_only_the_masked_worlds() -> None:
    world = envs.make_vec("dmc/cheetah-run", num_envs=3, seed=0, max_episode_steps=5)
    world.reset()
    action = np.full((3, 6), 0.5)
    before = world.step(action)[0]
    mask = np.array([False, True, False])
    after, _ = world.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal((after != before).any(axis=1), mask)
    for count in range(2, 6):
        truncated = world.step(action)[3]
        np.testing.assert_array_equal(truncated, [count == 5, False, count == 5])
    np.testing.assert_array_equal(world.step(action)[3], mask)
    with pytest.raises(ValueError, match="reset_mask"):
        world.reset(options={"reset_mask": np.array([True])})


def test_state_of_other_worlds_is_refused() -> None:
    state = envs.make_vec("dmc/cheetah-run", num_envs=2).state_dict()
    with pytest.raises(ValueError, match="2 worlds of dmc/cheetah-run"):
        envs.make_vec("dmc/cheetah-run", num_envs=3).load_state_dict(state)
    with pytest.raises(ValueError, match="not of 2 worlds of dmc/walker-run"):
        envs.make_vec("dmc/walker-run", num_envs=2).load_state_dict(state)


def test_a_state_of_other_fields_is_refused_before_anything_is_written() -> None:
    world, twin = make("gym/Ant-v5", 2), make("gym/Ant-v5", 2)
    world.reset()
    twin.reset()
    state = make("gym/Ant-v5", 2, seed=9).state_dict()
    state["simulations"]["outputs"].pop("xpos")
    with pytest.raises(ValueError, match="not those of the task"):
        world.load_state_dict(state)
    action = np.zeros((2, 8))
    np.testing.assert_array_equal(world.step(action)[0], twin.step(action)[0])


def test_step_before_reset_is_refused() -> None:
    world = envs.make_vec("dmc/cheetah-run")
    with pytest.raises(RuntimeError, match="call reset"):
        world.step(np.zeros((1, 6)))


def test_episodes_of_one_world_differ() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", seed=0, max_episode_steps=1)
    starts = [world.reset()[0]] + [world.step(np.zeros((1, 1)))[0] for _ in range(5)]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 6


def test_cheetah_moves_its_position_signal_as_its_speed_says() -> None:
    world = envs.make_vec("dmc/cheetah-run", num_envs=8, seed=1, dtype="float64")
    assert isinstance(world, BatchWorld)
    assert isinstance(world.task, Cheetah)
    _, info = world.reset()
    start = info["signals"]["position"][:, 0]
    travelled = np.zeros(8)
    seconds = world.task.model.opt.timestep * world.task.num_substeps
    for action in np.random.default_rng(0).uniform(-1, 1, (100, 8, 6)):
        obs, _, _, _, info = world.step(action)
        travelled += seconds * obs[:, 8]
    np.testing.assert_allclose(info["signals"]["position"][:, 0] - start, travelled, atol=1e-9)
