"""Runs with commandable weights as a user meets them: training, resuming, commands, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from test_cli_main import command
from test_resume import NoEvaluation, small

from agents.cli.evaluate import folder_of
from agents.cli.main import main
from agents.errors import UsageError
from agents.evaluation.load import load_subject
from agents.hierarchy.storage import skills_of_run
from agents.training.checkpoint import MANIFEST
from agents.training.run import train
from agents.training.run_folder import latest_checkpoint
from agents.training.session import Session
from rl_info.rewards.metra import METRAConfig
from rl_info.rewards.task import TaskConfig

REWARDS = {"metra": METRAConfig(), "task": TaskConfig(weight=0.5)}


def test_a_resumed_run_equals_the_uninterrupted_one_and_can_be_commanded(tmp_path: Path) -> None:
    config = small(rewards=REWARDS, commandable_weights=True, total_steps=800)
    once, twice = tmp_path / "once", tmp_path / "twice"
    train(once, config, NoEvaluation)
    train(twice, small(rewards=REWARDS, commandable_weights=True, total_steps=520), NoEvaluation)
    train(twice, config, NoEvaluation, resume=True)
    first, second = ((latest_checkpoint(each) / MANIFEST) for each in (once, twice))
    files = [json.loads(path.read_text())["files"] for path in (first, second)]
    for name in ("learner", "replay", "collector", "worlds"):
        assert files[0][f"{name}.safetensors"] == files[1][f"{name}.safetensors"]

    obs, skill = torch.randn(5, 17), config.skill.sample(5, torch.Generator().manual_seed(0))
    actions = [
        load_subject(once, None, weights).policy.act(obs, skill, deterministic=True)
        for weights in ({}, {"task": 0.5}, {"task": 2.0})
    ]
    assert torch.equal(actions[0], actions[1])
    assert not torch.equal(actions[0], actions[2])
    frozen = skills_of_run(once, torch.device("cpu"))
    torch.testing.assert_close(frozen.act(obs, skill), actions[0])

    with pytest.raises(UsageError, match="unknown reward 'tsk'; did you mean 'task'"):
        load_subject(once, None, {"tsk": 1.0})
    with pytest.raises(UsageError, match="weight of 'task' must be finite, not negative"):
        load_subject(once, None, {"task": -1.0})


def test_what_is_stored_holds_the_command_and_changes_with_the_episode() -> None:
    config = small(rewards=REWARDS, commandable_weights=True, num_envs=2, max_episode_steps=5)
    session = Session.build(config)
    session.start()
    for _ in range(10):
        session.collector.step(session.learner)
    steps = session.replay.newest(10)
    session.close()
    commands = steps.skill[:, config.skill.dim :].view(2, 5, 2, 2)
    assert torch.equal(commands, commands[:, :1].expand_as(commands))
    assert commands[:, 0].flatten(0, 1).unique(dim=0).shape == (4, 2)


def test_commands_to_fixed_weights_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    train(folder, small(total_steps=500), NoEvaluation)
    assert main(["evaluate", str(folder), "--weights", "metra", "2"]) == 2
    assert "train with --commandable-weights" in capsys.readouterr().err
    assert not (folder / "evaluation").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["metra", "--commandable-weights"], "at least two rewards"),
        (["slim", "--commandable-weights", "--learner.sum-rewards"], "one critic on the sum"),
        (["slim", "--weight-factors", "2", "4"], "weight-factors must be positive and finite"),
        (["slim", "--weight-factors", "nan", "4"], "weight-factors must be positive and finite"),
    ],
)
def test_weights_that_cannot_be_commanded_exit_2(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(["train", *words, "--run-dir", str(tmp_path / "run")])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_slim_learns_and_is_commanded_from_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    numbers = {
        "total-steps": 200, "num-envs": 4, "warmup-steps": 100, "max-episode-steps": 10,
        "learner.hidden-dim": 16, "learner.batch-size": 16, "eval-interval": 0,
        "replay-capacity": 400, "num-threads": 1,
    }  # fmt: skip
    flags = [f"--{name}={value}" for name, value in numbers.items()]
    trained = command(
        "train",
        "slim",
        "--commandable-weights",
        *flags,
        "--no-eval-video",
        "--run-dir",
        str(folder),
    )
    assert trained.returncode == 0, trained.stderr
    assert "commanded weights: lsd 1 (configured 1)" in trained.stdout
    weights = ["lsd", "1", "reach", "0.5", "safety", "3"]
    quick = ["--no-video", "--episodes-per-skill", "0", "--rollouts", "4", "--goals", "0"]
    done = command("evaluate", str(folder), *quick, "--weights", *weights)
    assert done.returncode == 0, done.stderr
    assert "reach 0.5 (configured 0.25), safety 3 (configured 0.5, told 2)" in done.stdout
    where = folder / "evaluation" / folder_of({"lsd": 1.0, "reach": 0.5, "safety": 3.0})
    report = json.loads((where / "report.json").read_text())["weights"]
    assert report["asked"] == {"lsd": 1.0, "reach": 0.5, "safety": 3.0}
    assert report["told"] == pytest.approx({"lsd": 1.0, "reach": 0.5, "safety": 2.0})
    assert report["configured"] == {"lsd": 1.0, "reach": 0.25, "safety": 0.5}
