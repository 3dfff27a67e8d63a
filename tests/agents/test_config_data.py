"""Settings as plain data: nothing lost, nothing guessed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import UsageError
from agents.presets import PRESETS
from agents.training.config import TrainConfig
from agents.training.config_data import flatten, to_data, train_config_from_data
from agents.training.defaults import DEMO_AGENT, default_config, demo_config
from agents.training.errors import CorruptRunError
from agents.training.run_folder import (
    CONFIG_FILE,
    create_run,
    default_run_dir,
    latest_checkpoint,
    read_config,
)


@pytest.mark.parametrize("agent", PRESETS)
def test_settings_come_back_from_json_as_they_were(agent: str) -> None:
    config = dataclasses.replace(
        default_config(agent), env_options={"flag": True, "number": 3, "share": 0.5, "name": "x"}
    )
    assert train_config_from_data(json.loads(json.dumps(to_data(config)))) == config


def test_the_demonstration_differs_from_its_preset_in_few_settings() -> None:
    demo, preset = (
        dict(flatten(to_data(config))) for config in (demo_config(), default_config(DEMO_AGENT))
    )
    assert demo.keys() == preset.keys()
    changed = {name for name in demo if demo[name] != preset[name]}
    assert "total_steps" in changed
    assert demo["total_steps"] < preset["total_steps"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"total_step": 5}, "unknown setting 'total_step'; did you mean 'total_steps'"),
        (
            {"learner": {"algorithm": "sac", "hiden_dim": 5}},
            r"unknown setting 'learner\.hiden_dim'; did you mean 'hidden_dim'",
        ),
        ({"rewards": {"tusk": {}}}, "unknown reward 'tusk'; did you mean 'task'"),
        ({"rewards": {"task": {"wight": 1.0}}}, "did you mean 'weight'"),
        ({"total_steps": 2.5}, r"total_steps is 2\.5, expected int"),
        ({"total_steps": True}, "total_steps is True, expected int"),
        ({"seed": "1"}, "seed is '1', expected int"),
        ({"backend": "gpu"}, "backend is 'gpu'"),
        (
            {"learner": {"algorithm": "poo"}},
            r"unknown learning .* 'poo'; did you mean 'ppo'",
        ),
        ({"learner": 3}, "learner is 3, expected named settings"),
        ({"learner": {"algorithm": "sac", "adam_betas": [0.9]}}, "adam_betas"),
        ({"env_options": {"a": [1]}}, "env_options.a"),
        ({"max_episode_steps": "all"}, "max_episode_steps is 'all'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_config_from_data(to_data(default_config("sac")) | change)


def test_a_whole_number_may_stand_for_a_float() -> None:
    data = to_data(default_config("sac")) | {"update_ratio": 2}
    assert type(train_config_from_data(data).update_ratio) is float


@pytest.mark.parametrize(
    "change",
    [
        {"num_envs": 0},
        {"total_steps": 0},
        {"seed": -1},
        {"update_ratio": -0.5},
        {"max_episode_steps": 0},
        {"skill_steps": 0},
        {"replay_capacity": 3},
    ],
)
def test_values_out_of_range_are_refused_by_their_flag(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(ValueError, match=name.replace("_", "-")):
        dataclasses.replace(TrainConfig(), **change)


def test_a_run_folder_says_what_made_it(tmp_path: Path) -> None:
    config = default_config("metra")
    create_run(tmp_path / "run", config)
    assert read_config(tmp_path / "run") == config
    content = json.loads((tmp_path / "run" / CONFIG_FILE).read_text())
    assert set(content) == {"config", "versions", "git_hash"}
    assert {"python", "torch", "mujoco"} <= set(content["versions"])


def test_a_folder_with_anything_in_it_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="not empty: continue it with --resume"):
        create_run(tmp_path, default_config("sac"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(UsageError, match="not empty"):
        create_run(tmp_path / "mine.txt", default_config("sac"))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"config": {"agent": 3}}', "\x00"])
def test_a_damaged_config_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CONFIG_FILE).write_text(content)
    with pytest.raises(CorruptRunError, match=r"config\.json is damaged or foreign"):
        read_config(tmp_path)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptRunError, match=r"not a run folder: it has no config\.json"):
        read_config(tmp_path / "absent")
    with pytest.raises(CorruptRunError, match="checkpoints holds no complete checkpoint"):
        latest_checkpoint(tmp_path)


def test_default_folders_name_agent_env_and_seed() -> None:
    folder = default_run_dir(default_config("sac"))
    assert folder.parent == Path("runs")
    assert folder.name.startswith("sac-dmc-cheetah-run-0-2")
