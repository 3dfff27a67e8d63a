"""Every native dm_control task against its original: observations, rewards, ends and resets."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from dm_control import suite

import envs
from envs.tasks import TASKS
from envs.tasks.base import Fields, Task

IDS = sorted(task_id for task_id in TASKS if task_id.startswith("dmc/"))
SEEDS = (0, 1, 2)
REWARD_TOLERANCE = 1e-12
REQUIRED = {
    "cartpole": ("balance", "balance_sparse", "swingup", "swingup_sparse"),
    "pendulum": ("swingup",),
    "acrobot": ("swingup",),
    "point_mass": ("easy",),
    "ball_in_cup": ("catch",),
    "reacher": ("easy", "hard"),
    "finger": ("spin", "turn_easy", "turn_hard"),
    "cheetah": ("run",),
    "hopper": ("stand", "hop"),
    "walker": ("stand", "walk", "run"),
    "quadruped": ("walk", "run"),
    "humanoid": ("stand", "walk", "run"),
    "fish": ("upright",),
    "swimmer": ("swimmer6",),
}


def load_original(task_id: str, seed: int, episode_steps: int | None = None) -> Any:
    domain, task = task_id.removeprefix("dmc/").split("-")
    options: dict[str, Any] = {"random": seed}
    if episode_steps is not None:
        native = TASKS[task_id]()
        control_timestep = native.model.opt.timestep * native.num_substeps
        # The suite divides the limit by the timestep and compares with >=: stay clear of rounding.
        options["time_limit"] = (episode_steps - 0.5) * control_timestep
    return suite.load(domain, task, task_kwargs=options)


def flatten(observation: dict[str, Any]) -> np.ndarray:
    return np.concatenate([np.ravel(part) for part in observation.values()])


def run_side_by_side(task_id: str, steps: int, episode_steps: int | None = None) -> int:
    """Step native worlds and originals with the same actions; returns how many episodes ended."""
    originals = [load_original(task_id, seed, episode_steps) for seed in SEEDS]
    world = envs.make_vec(
        task_id,
        num_envs=len(SEEDS),
        seed=SEEDS[0],
        backend="cpu",
        dtype="float64",
        resets="exact",
        max_episode_steps=episode_steps,
    )
    observation, _ = world.reset(seed=SEEDS[0])
    np.testing.assert_array_equal(
        observation, [flatten(original.reset().observation) for original in originals]
    )
    space = world.single_action_space
    random, ended = np.random.default_rng(0), 0
    for _ in range(steps):
        # Somewhat beyond the bounds too: MuJoCo clamps what acts, but rewards see the action.
        action = 1.2 * random.uniform(space.low, space.high, (len(SEEDS), *space.shape))
        observation, reward, terminated, truncated, info = world.step(action)
        steps_taken = [
            original.step(each) for original, each in zip(originals, action, strict=True)
        ]
        last = np.array([step.last() for step in steps_taken])
        discount = np.array([step.discount for step in steps_taken])
        np.testing.assert_array_equal(terminated, last & (discount == 0))
        np.testing.assert_array_equal(truncated, last & (discount == 1))
        np.testing.assert_allclose(
            reward, [step.reward for step in steps_taken], rtol=0, atol=REWARD_TOLERANCE
        )
        assert ("final_obs" in info) == last.any()
        for index, step in enumerate(steps_taken):
            seen = info["final_obs"][index] if last[index] else observation[index]
            np.testing.assert_array_equal(seen, flatten(step.observation))
            if last[index]:
                ended += 1
                first = originals[index].reset()
                np.testing.assert_array_equal(observation[index], flatten(first.observation))
    world.close()
    return ended


@cache
def states_of_original(task_id: str, resets: int = 20, per_reset: int = 40) -> SimpleNamespace:
    """States spread around initial and default poses, with what the original makes of them."""
    original, task = load_original(task_id, seed=7), TASKS[task_id]()
    physics, random = original.physics, np.random.default_rng(7)
    model, data = physics.model.ptr, physics.data.ptr
    bound = dict.fromkeys((*task.fields, "ctrl"), data)
    bound |= dict.fromkeys(task.model_fields, model)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in bound}
    observations, rewards, times = [], [], []
    for _ in range(resets):
        original.reset()
        poses = data.qpos.copy(), model.qpos0.copy()
        for index in range(per_reset):
            data.qpos[:] = poses[index % 2]
            scale = 10 ** random.uniform(-3, 0.5)
            mujoco.mj_integratePos(model, data.qpos, scale * random.standard_normal(model.nv), 1)
            data.qvel[:] = 5 * scale * random.standard_normal(model.nv)
            data.ctrl[:] = random.uniform(-1.5, 1.5, model.nu)
            mujoco.mj_forward(model, data)
            for name, source in bound.items():
                columns[name].append(np.array(getattr(source, name)))
            times.append(data.time)
            observations.append(flatten(original.task.get_observation(physics)))
            rewards.append(original.task.get_reward(physics))
    fields = Fields(time=np.array(times))
    for name, values in columns.items():
        setattr(fields, name, np.stack(values))
        getattr(fields, name).setflags(write=False)  # a task must not write into the simulation
    return SimpleNamespace(
        task=task, fields=fields, observation=np.stack(observations), reward=np.array(rewards)
    )


def evaluate(task: Task, fields: Fields, empty: Any) -> dict[str, Any]:
    """All that a task makes of N states; `empty` makes the arrays of the kind of `fields`."""
    count = len(fields.qpos)
    observation, reward = empty((count, task.observation_size)), empty((count,))
    terminated = empty((count,)) > 0
    task.observe(fields, observation)
    task.reward(fields, fields.ctrl, reward)
    task.terminated(fields, terminated)
    made = {"observation": observation, "reward": reward, "terminated": terminated}
    return made | {f"signal {name}": part for name, part in task.signals(fields).items()}


def test_every_task_that_must_be_native_is() -> None:
    wanted = {f"dmc/{domain}-{task}" for domain, tasks in REQUIRED.items() for task in tasks}
    assert wanted <= set(IDS)


@pytest.mark.parametrize("task_id", IDS)
def test_300_random_steps_are_the_originals(task_id: str) -> None:
    run_side_by_side(task_id, steps=300)


@pytest.mark.parametrize("task_id", IDS)
def test_consecutive_episodes_are_the_originals(task_id: str) -> None:
    ended = run_side_by_side(task_id, steps=36, episode_steps=6)
    assert ended >= 6 * len(SEEDS)


@pytest.mark.parametrize("task_id", IDS)
def test_definition_is_the_originals_on_many_states(task_id: str) -> None:
    states = states_of_original(task_id)
    made = evaluate(states.task, states.fields, np.zeros)
    np.testing.assert_array_equal(made["observation"], states.observation)
    np.testing.assert_allclose(made["reward"], states.reward, rtol=0, atol=REWARD_TOLERANCE)
    assert np.unique(states.reward).size > 1, "the states must reach different rewards"


@pytest.mark.parametrize("task_id", IDS)
def test_definition_gives_the_same_on_torch(task_id: str) -> None:
    states = states_of_original(task_id)
    tensors = {name: torch.tensor(array) for name, array in vars(states.fields).items()}
    expected = evaluate(states.task, states.fields, np.zeros)
    made = evaluate(states.task, Fields(**tensors), lambda s: torch.zeros(s, dtype=torch.float64))
    assert made.keys() == expected.keys()
    for name, values in made.items():
        assert isinstance(values, torch.Tensor)
        np.testing.assert_allclose(values.numpy(), expected[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("task_id", IDS)
def test_names_sizes_and_times_are_the_originals(task_id: str) -> None:
    original, task = load_original(task_id, seed=0), TASKS[task_id]()
    parts = original.reset().observation
    stops = np.cumsum([np.size(part) for part in parts.values()])
    assert list(task.observation_layout) == list(parts)
    assert [part.stop for part in task.observation_layout.values()] == stops.tolist()
    assert task.observation_size == stops[-1]
    spec = original.action_spec()
    np.testing.assert_array_equal(task.action_bounds(), (spec.minimum, spec.maximum))
    control_timestep = task.model.opt.timestep * task.num_substeps
    assert control_timestep == pytest.approx(original.control_timestep(), rel=1e-12)
    assert task.time_limit == round(original._step_limit)


@pytest.mark.parametrize("task_id", IDS)
def test_signals_are_batch_first_and_lead_with_position(task_id: str) -> None:
    states = states_of_original(task_id)
    signals = states.task.signals(states.fields)
    assert next(iter(signals)) == "position"
    for name, values in signals.items():
        assert values.ndim == 2, name
        assert len(values) == len(states.reward), name
        assert np.ptp(values, axis=0).any(), name
