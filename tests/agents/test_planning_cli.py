"""`rl-info plan` as a user meets it: files, figures, refusals."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from agents.api import default_config, train
from agents.cli.main import main
from agents.planning import PlanConfig, SkillDynamics
from agents.planning.skill_dynamics import DynamicsShape
from agents.training.files import replace_atomically

TINY = [
    *("--collect-steps", "300", "--num-envs", "5", "--episodes", "6", "--samples", "8"),
    *("--iterations", "2", "--horizon", "3", "--max-episode-steps", "30", "--num-threads", "1"),
    *("--dynamics.gradient-steps", "5", "--dynamics.hidden-dim", "16", "--dynamics.members", "2"),
]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of SLIM that has hardly learned anything."""
    folder = tmp_path_factory.mktemp("runs") / "slim"
    preset = default_config("slim")
    config = dataclasses.replace(
        preset,
        num_envs=4,
        total_steps=160,
        warmup_steps=80,
        num_threads=1,
        eval_interval=0,
        max_episode_steps=20,
        learner=dataclasses.replace(preset.learner, hidden_dim=16, batch_size=16),
    )
    train(folder, config)
    return folder


def test_plans_in_another_task_of_the_same_robot(run_dir: Path) -> None:
    command = [sys.executable, "-m", "agents.cli.main", "plan", str(run_dir)]
    done = subprocess.run(
        [*command, "--env", "tabletop/push", *TINY],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for phase in ("collecting rollouts", "learning skill dynamics", "planning 6 episodes"):
        assert phase in done.stderr
    folder = run_dir / "planning"
    report = json.loads((folder / "planning.json").read_text())
    assert report["trained_in"] == "tabletop/explore"
    assert report["env"] == "tabletop/push"
    assert report["collected_env_steps"] == 300
    # SLIM's latent space reads where the object is, so a goal of the task is a state of it.
    assert list(report["methods"]) == ["planning", "random_skills", "one_skill", "zero_shot"]
    starts = {method["initial_distance_m"]["value"] for method in report["methods"].values()}
    assert len(starts) == 1
    assert min(starts) > 0.1
    for method in report["methods"].values():
        assert method["success"]["count"] == 6
        assert method["closest_distance_m"]["value"] <= method["final_distance_m"]["value"] + 1e-9
        assert method["return"]["value"] > 0
    errors = report["held_out"]
    assert set(errors["place_m"]) == {"1", "2", "3"}
    assert errors["place_m"]["1"]["nothing_changes"] > 0
    assert set(errors["parts_rmse"]) == {
        "arm_position", "arm_velocity", "arm_target", "gripper_opening", "objects",
    }  # fmt: skip
    assert SkillDynamics.load(folder / "dynamics.safetensors").shape.skill_steps == 10
    assert imread(folder / "planning.png").std() > 0.1
    assert "planning: success" in done.stdout
    assert str(folder / "planning.png") in done.stdout

    # The same model again: the same plans, without collecting or learning anything.
    again = run_dir / "again"
    weights = folder / "dynamics.safetensors"
    words = ["plan", str(run_dir), "--env", "tabletop/push", *TINY, "--output", str(again)]
    assert main([*words, "--dynamics-file", str(weights)]) == 0
    second = json.loads((again / "planning.json").read_text())
    assert second["methods"] == report["methods"]
    assert second["collected_env_steps"] == 0
    assert (again / "dynamics.safetensors").read_bytes() == weights.read_bytes()


def test_plans_with_the_simulator_and_foresees_exactly(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = []
    for name in ("first", "second"):
        words = ["plan", str(run_dir), "--model", "simulator", "--planner", "cem", *TINY]
        assert main([*words, "--output", str(tmp_path / name)]) == 0
        reports.append(json.loads((tmp_path / name / "planning.json").read_text()))
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
            "planning.json", "planning.png",
        ]  # fmt: skip
    report = reports[0]
    # In its own environment there is no goal: goals are places that random skills visited.
    assert report["goal"] == {
        "of": "position",
        "from": "places visited under random skills",
        "success_within_m": 0.05,
    }
    assert report["foreseen_error_m"]["value"] == pytest.approx(0.0, abs=1e-7)
    assert reports[0]["methods"] == reports[1]["methods"]
    assert "zero shot: the latent space reads 'object_position'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "dmc/cheetah-run"], "choose a task of the same robot"),
        (
            ["--env", "tabletop/push", "--env-options", "num_objects", "2"],
            "objects has 36 numbers instead of 18",
        ),
        (["--env", "tabletop/posh"], "did you mean tabletop/push"),
        (["--skill-steps", "200"], "lower --skill-steps"),
        (["--checkpoint", "/nowhere/step_000000001"], "there is no checkpoint"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(
    run_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    output = tmp_path / "results"
    assert main(["plan", str(run_dir), *words, "--output", str(output)]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_results_are_never_overwritten(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_atomically(tmp_path / "planning.json", b"precious")
    assert main(["plan", str(run_dir), "--output", str(tmp_path)]) == 2
    assert "choose another folder with --output" in capsys.readouterr().err
    assert (tmp_path / "planning.json").read_bytes() == b"precious"


def test_dynamics_that_do_not_fit_are_refused(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"nothing of the kind")
    words = ["plan", str(run_dir), "--output", str(tmp_path / "results"), "--dynamics-file"]
    assert main([*words, str(foreign)]) == 2
    assert "holds no skill dynamics" in capsys.readouterr().err
    shape = DynamicsShape(obs=29, place=2, skill=2, skill_steps=7, members=1, hidden_dim=4)
    SkillDynamics(shape, torch.Generator()).save(tmp_path / "other.safetensors")
    assert main([*words, str(tmp_path / "other.safetensors")]) == 2
    assert "(29, 2, 2, 7) instead of (29, 2, 2, 10)" in capsys.readouterr().err


def test_an_agent_without_skills_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = default_config("sac")
    learner = dataclasses.replace(preset.learner, hidden_dim=8, batch_size=8)
    config = dataclasses.replace(
        preset, num_envs=2, total_steps=20, warmup_steps=10, num_threads=1, eval_interval=0,
        learner=learner,
    )  # fmt: skip
    train(tmp_path / "sac", config)
    assert main(["plan", str(tmp_path / "sac")]) == 2
    assert "agent without skills (sac)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [("horizon", 0), ("samples", 0), ("radius", -1.0), ("noise", np.inf), ("temperature", 0.0)],
)
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        dataclasses.replace(PlanConfig(), **{name: value})
