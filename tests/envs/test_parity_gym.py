"""Gymnasium's locomotion tasks, against gymnasium itself: same seeds, same actions, same bits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from envs import make_vec
from envs.tasks import TASKS
from envs.tasks.base import Fields
from envs.tasks.gym.ant import Ant
from envs.tasks.gym.locomotion import load_model

STEPS = 300
SEEDS = (0, 1, 2)
EPISODE = 130
"""Short episodes, so that every world begins new ones from the same generator."""

IDS = ("HalfCheetah-v5", "Ant-v5", "Hopper-v5", "Walker2d-v5")
SHOWN = {"exclude_current_positions_from_observation": False}
ALIVE = {"terminate_when_unhealthy": False}
WEIGHTS = {"forward_reward_weight": 2.0, "ctrl_cost_weight": 0.03, "reset_noise_scale": 0.07}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *[(name, {}) for name in IDS],
    ("HalfCheetah-v5", {**SHOWN, **WEIGHTS}),
    ("Ant-v5", {**SHOWN, **ALIVE, **WEIGHTS}),
    ("Ant-v5", {"include_cfrc_ext_in_observation": False, "main_body": "aux_1"}),
    ("Ant-v5", {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0}),
    ("Ant-v5", {"contact_force_range": (-20.0, 5.0), "healthy_z_range": (0.4, 0.9)}),
    ("Hopper-v5", {**SHOWN, **ALIVE, **WEIGHTS}),
    ("Hopper-v5", {"healthy_state_range": (-3.0, 3.0), "healthy_reward": 0.5}),
    ("Walker2d-v5", {**SHOWN, **ALIVE, **WEIGHTS}),
    ("Walker2d-v5", {"healthy_z_range": (1.0, 1.3), "healthy_angle_range": (-0.2, 0.4)}),
]


@pytest.fixture(autouse=True)
def _away_from_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MuJoCo logs gymnasium's deprecated model attributes into the working directory."""
    monkeypatch.chdir(tmp_path)


def random_actions(space: gymnasium.spaces.Box, dtype: str) -> np.ndarray:
    """Actions a little beyond the bounds too, (STEPS, worlds, A)."""
    random = np.random.default_rng(7)
    shape = (STEPS, len(SEEDS), *space.shape)
    return (1.1 * random.uniform(space.low, space.high, shape)).astype(dtype)


def originals(name: str, options: Mapping[str, Any]) -> list[gymnasium.Env]:
    return [
        gymnasium.make(name, max_episode_steps=EPISODE, disable_env_checker=True, **options)
        for _ in SEEDS
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_episodes_equal_gymnasium(name: str, options: dict[str, Any], dtype: str) -> None:
    world = make_vec(
        f"gym/{name}",
        num_envs=len(SEEDS),
        seed=SEEDS[0],
        dtype="float64",
        max_episode_steps=EPISODE,
        **options,
    )
    references = originals(name, options)
    obs, _ = world.reset()
    expected = np.stack(
        [env.reset(seed=seed)[0] for env, seed in zip(references, SEEDS, strict=True)]
    )
    np.testing.assert_array_equal(obs, expected)
    ends = np.zeros(len(SEEDS), dtype=int)
    for action in random_actions(world.single_action_space, dtype):
        obs, reward, terminated, truncated, info = world.step(action)
        for i, env in enumerate(references):
            original, original_reward, end, cut, _ = env.step(action[i])
            assert (terminated[i], truncated[i]) == (end, cut)
            assert reward[i] == original_reward
            if end or cut:
                ends[i] += 1
                assert info["_final_obs"][i]
                np.testing.assert_array_equal(info["final_obs"][i], original)
                original, _ = env.reset()
            np.testing.assert_array_equal(obs[i], original)
    assert (ends >= 2).all(), "the test must cross at least two episode ends in every world"


@pytest.mark.parametrize("name", IDS)
def test_spaces_equal_gymnasium(name: str) -> None:
    for options in ({}, SHOWN):
        world = make_vec(f"gym/{name}", **options)
        env = gymnasium.make(name, **options)
        assert world.single_observation_space.shape == env.observation_space.shape
        assert world.single_action_space == env.action_space
        assert world.max_episode_steps == env.spec.max_episode_steps == 1000


@pytest.mark.parametrize("name", IDS)
def test_position_signal_follows_the_body(name: str) -> None:
    world = make_vec(f"gym/{name}", num_envs=2, seed=3, dtype="float64", **SHOWN)
    obs, info = world.reset()
    width = 2 if name == "Ant-v5" else 1
    assert world.signal_dims == {"position": width, "height": 1}
    for _ in range(5):
        np.testing.assert_array_equal(info["signals"]["position"], obs[:, :width])
        np.testing.assert_array_equal(info["signals"]["height"], obs[:, width : width + 1])
        obs, _, _, _, info = world.step(np.ones((2, world.single_action_space.shape[0])))


@pytest.mark.parametrize("name", IDS)
def test_saved_worlds_go_on_bit_for_bit(name: str) -> None:
    options = {"num_envs": len(SEEDS), "seed": 5, "dtype": "float64", "max_episode_steps": 40}
    world, other = make_vec(f"gym/{name}", **options), make_vec(f"gym/{name}", **options)
    actions = random_actions(world.single_action_space, "float32")[:60]
    world.reset()
    for action in actions[:30]:
        world.step(action)
    other.load_state_dict(world.state_dict())
    for action in actions[30:]:
        for mine, restored in zip(world.step(action)[:4], other.step(action)[:4], strict=True):
            np.testing.assert_array_equal(mine, restored)


def test_ant_without_wrenches_does_not_compute_them() -> None:
    assert Ant().model.nsensor == 1
    assert Ant(include_cfrc_ext_in_observation=False).model.nsensor == 1
    bare = Ant(include_cfrc_ext_in_observation=False, contact_cost_weight=0.0)
    assert bare.model.nsensor == 0
    assert bare.observation_size == 27


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {**SHOWN, **WEIGHTS, "contact_force_range": (-0.5, 2.0)},
        {"include_cfrc_ext_in_observation": False, "main_body": "aux_1"},
        {"contact_cost_weight": 0.0},
        {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0},
    ],
)
def test_ant_kernel_writes_what_the_definition_writes(options: dict, dtype: type) -> None:
    task = Ant(**options)
    random = np.random.default_rng(1)
    shape = (50, task.model.nbody)
    fields = Fields(
        qpos=random.normal(0.6, 0.3, (50, task.model.nq)),
        qvel=random.normal(size=(50, task.model.nv)),
        xpos=random.normal(size=(*shape, 3)),
        cfrc_ext=random.normal(size=(*shape, 6)) * random.integers(0, 2, (*shape, 6)),
        previous=Fields(xpos=random.normal(size=(*shape, 3))),
    )
    fields.qpos[0, 5], fields.qvel[1, 3], fields.cfrc_ext[2, 4, 1] = np.nan, np.inf, np.nan
    fields.qpos[3:5, 2] = task.healthy_z_range
    action = random.normal(size=(50, task.model.nu)).astype(dtype)
    obs, expected_obs = np.zeros((2, 50, task.observation_size), np.float32)
    reward, expected_reward = np.zeros((2, 50))
    terminated, expected_end = np.zeros(len(obs), bool), np.ones(len(obs), bool)
    task.fused()(fields, action, obs, reward, terminated)
    task.terminated(fields, expected_end)
    np.testing.assert_array_equal(terminated, expected_end)
    task.observe(fields, expected_obs)
    task.reward(fields, action, expected_reward)
    np.testing.assert_array_equal(obs, expected_obs)
    np.testing.assert_array_equal(reward, expected_reward)
    assert len({bool(part) for part in task.healthy(fields)}) == 2


@pytest.mark.parametrize("name", IDS)
def test_layout_covers_the_observation(name: str) -> None:
    for options in ({}, SHOWN):
        task = TASKS[f"gym/{name}"](**options)
        parts = list(task.observation_layout.values())
        assert [part.start for part in parts] == [0, *[part.stop for part in parts[:-1]]]
        assert parts[-1].stop == task.observation_size


@pytest.mark.parametrize("name", IDS)
def test_definitions_run_on_torch_tensors(name: str) -> None:
    """The same code values a batch of tensors, as a GPU backend hands it over."""
    task = TASKS[f"gym/{name}"]()
    random = np.random.default_rng(0)
    sizes = {"qpos": (task.model.nq,), "qvel": (task.model.nv,), "xpos": (task.model.nbody, 3)}
    sizes["cfrc_ext"] = (task.model.nbody, 6)
    arrays = {key: random.normal(size=(4, *size)) for key, size in sizes.items()}
    earlier = {key: random.normal(size=value.shape) for key, value in arrays.items()}
    action = random.uniform(-1, 1, (4, task.model.nu))
    numpy_fields = Fields(**arrays, previous=Fields(**earlier))
    torch_fields = Fields(
        **{key: torch.from_numpy(value) for key, value in arrays.items()},
        previous=Fields(**{key: torch.from_numpy(value) for key, value in earlier.items()}),
    )
    obs, reward, end = np.zeros((4, task.observation_size)), np.zeros(4), np.zeros(4, bool)
    outputs = [torch.from_numpy(value.copy()) for value in (obs, reward, end)]
    task.observe(numpy_fields, obs)
    task.reward(numpy_fields, action, reward)
    task.terminated(numpy_fields, end)
    task.observe(torch_fields, outputs[0])
    task.reward(torch_fields, torch.from_numpy(action), outputs[1])
    task.terminated(torch_fields, outputs[2])
    for expected, actual in zip((obs, reward, end), outputs, strict=True):
        np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_total_mass_is_set_without_the_deprecated_attribute(capfd: pytest.CaptureFixture) -> None:
    model = load_model("half_cheetah.xml")
    assert capfd.readouterr().err == ""
    original = gymnasium.make("HalfCheetah-v5").unwrapped.model
    for field in ("body_mass", "body_inertia", "body_invweight0", "dof_invweight0", "dof_M0"):
        np.testing.assert_array_equal(getattr(model, field), getattr(original, field))
    assert mujoco.mj_getTotalmass(model) == pytest.approx(14.0)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("HalfCheetah-v5", "reset_noise_scale", -0.1),
        ("Ant-v5", "healthy_z_range", (1.0, 0.2)),
        ("Hopper-v5", "healthy_angle_range", (0.2, 0.2)),
        ("Walker2d-v5", "reset_noise_scale", float("nan")),
    ],
)
def test_senseless_options_are_refused_by_name(name: str, option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        make_vec(f"gym/{name}", **{option: value})
