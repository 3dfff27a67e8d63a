"""`rl-info train` as a user meets it: exit codes, messages, files."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_cli_main import refused_training

from agents.cli import train
from agents.cli.main import main
from agents.training.defaults import default_config
from agents.training.logger import METRICS_FILE, RunLogger, read_metrics
from agents.training.run_folder import CHECKPOINTS, read_config
from agents.training.session import Session
from envs.errors import WorldError

QUICK = [
    "--no-eval-video",
    *(
        f"--{name}={value}"
        for name, value in {
            "env": "dmc/cheetah-run",
            "num-envs": 4,
            "total-steps": 400,
            "warmup-steps": 100,
            "max-episode-steps": 20,
            "update-ratio": 0.1,
            "learner.hidden-dim": 16,
            "learner.batch-size": 16,
            "num-threads": 1,
            "torch-threads": 1,
            "log-interval": 100,
            "eval-interval": 200,
            "eval-episodes": 4,
        }.items()
    ),
]


@pytest.fixture(autouse=True)
def _no_final_evaluation(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "evaluates" not in request.node.name:
        monkeypatch.setattr(train, "evaluate_run", lambda *arguments: {})


def test_trains_logs_saves_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["train", "sac", *QUICK, "--run-dir", str(folder)]) == 0
    assert read_config(folder).total_steps == 400
    assert [line["env_steps"] for line in read_metrics(folder) if "eval/return" in line] == [
        200, 400,
    ]  # fmt: skip
    assert list((folder / CHECKPOINTS).iterdir())
    assert list(folder.glob("events.out.tfevents.*"))
    shown = capsys.readouterr()
    assert "trained 400 env steps" in shown.out
    assert f"run folder: {folder}" in shown.err
    last = shown.err.rstrip().split("\r")[-1]
    assert "400/400" in last
    assert "env-steps/s" in last
    assert "updates/s" in last

    assert main(["train", "--resume", str(folder), "--total-steps", "600"]) == 0
    assert read_config(folder).total_steps == 600
    assert read_metrics(folder)[-1]["env_steps"] == 600


def test_every_setting_has_a_flag_and_help_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train", "metra", "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for flag in (
        "--env", "--num-envs", "--total-steps", "--seed", "--backend", "--run-dir", "--resume",
        "--learner.hidden-dim", "--rewards.metra.weight", "--skill.dim", "--env-options",
    ):  # fmt: skip
        assert f"{flag} " in shown
    assert "defaults of metra" in shown


def test_flags_reach_the_settings() -> None:
    flags = "--rewards.metra.weight 2.5 --skill.dim 4 --learner.adam-betas 0.8 0.9 --skill-steps 7"
    config, folder = train.parse(flags.split(), default_config("metra"))
    assert config.rewards["metra"].weight == 2.5
    assert (config.skill.dim, config.learner.adam_betas, config.skill_steps) == (4, (0.8, 0.9), 7)
    assert folder is None
    assert config.agent == "metra"


def test_env_options_add_to_those_of_the_agent() -> None:
    preset = default_config("metra")
    assert preset.env_options
    flags = ["--env-options", "a", "True", "b", "3", "c", "0.5", "d", "text"]
    config, _ = train.parse(flags, preset)
    assert config.env_options == {**preset.env_options, "a": True, "b": 3, "c": 0.5, "d": "text"}
    assert type(config.env_options["a"]) is bool


def test_another_env_keeps_only_the_options_that_it_has() -> None:
    preset = default_config("metra")
    ant, _ = train.parse(["--env", "gym/Ant-v5"], preset)
    assert ant.env_options == preset.env_options
    for other in ("dmc/walker-run", "gym/Pendulum-v1"):
        config, _ = train.parse(["--env", other, "--env-options", "a", "1"], preset)
        assert config.env_options == {"a": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sacc"], "did you mean 'sac'"),
        (["sac", "--env", "dmc/cheetah-rum"], "dmc/cheetah-run"),
        (["sac", "--env-options", "no_such", "1"], "no option 'no_such'"),
        (["sac", "--tota-steps", "5"], "--total-steps"),
        (["sac", "--learner.hiden-dim", "5"], "--learner.hidden-dim"),
        (["sac", "--total-steps", "5e3"], "--total-steps"),
        (["sac", "--total-steps", "0"], "total-steps must be at least 1"),
        (["sac", "--learner.tau", "0"], "tau must be in (0, 1]"),
        (["sac", "--backend", "gpu"], "invalid choice 'gpu'"),
        (["sac", "extra"], "extra"),
        (["--env", "dmc/cheetah-run", "sac"], "the agent comes first: rl-info train sac"),
        (["sac", "--run-dir", "/proc/no/run", "--num-envs", "1"], "choose another --run-dir"),
        (["--resume", "nowhere"], "not a run folder"),
    ],
)
def test_bad_requests_exit_2_and_name_the_fix(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused_training(words, tmp_path, capsys)


def test_a_run_is_never_overwritten_or_bent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main(["train", "sac", *QUICK, "--run-dir", str(folder)]) == 0
    before = (folder / METRICS_FILE).read_bytes()
    for words, message in [
        (["sac", *QUICK, "--run-dir", str(folder)], "not empty: continue it with --resume"),
        (["metra", "--resume", str(folder)], "holds a run of 'sac', not of 'metra'"),
        (["--resume", str(folder), "--env", "dmc/walker-run"], "trained with env dmc/cheetah-run"),
        (["--resume", str(folder), "--seed", "9"], "trained with seed 0, not 9"),
        (
            ["--resume", str(folder), "--learner.hidden-dim", "9"],
            "trained with learner.hidden_dim 16",
        ),
        (["--resume", str(folder), "--run-dir", "x"], "leave out --run-dir"),
    ]:
        assert main(["train", *words]) == 2
        assert message in capsys.readouterr().err
    assert (folder / METRICS_FILE).read_bytes() == before


def test_a_learning_rate_that_blows_up_exits_1_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    flags = ["--learner.critic-learning-rate", "1e30", "--run-dir", str(folder)]
    assert main(["train", "sac", *QUICK, *flags]) == 1
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("rl-info train:")
    ]
    assert "stopped: loss/" in line
    assert str(folder) in line
    assert list(folder.glob("non_finite_*.pt"))


def test_warnings_stand_on_lines_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Cautious:
        def __init__(self, session: Session) -> None: ...

        def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
            logging.getLogger("agents").warning("mind the gap")
            return {}

        def close(self) -> None: ...

    monkeypatch.setattr(train, "PeriodicEvaluation", Cautious)
    assert main(["train", "sac", *QUICK, "--run-dir", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().err.replace("\r", "\n").split("\n")
    assert shown.count("mind the gap") == 2


@pytest.mark.parametrize("error", [WorldError([1], "world 1 died"), OSError(28, "disk full")])
def test_worlds_or_disks_that_fail_exit_1_with_one_line(
    error: Exception,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr("agents.training.collector.Collector.step", fail)
    assert main(["train", "sac", *QUICK, "--run-dir", str(tmp_path / "run")]) == 1
    assert f"rl-info train: stopped: {error}" in capsys.readouterr().err


def test_a_foreign_metrics_file_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main(["train", "sac", *QUICK, "--run-dir", str(folder)]) == 0
    (folder / METRICS_FILE).write_text("garbage\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    capsys.readouterr()
    assert main(["train", "--resume", str(folder), "--total-steps", "600"]) == 2
    assert f"{folder / METRICS_FILE} is damaged or foreign" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_have_exit_codes_of_their_own(
    number: int,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Interrupting:
        def __init__(self, session: Session) -> None: ...

        def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
            signal.raise_signal(number)
            return {}

        def close(self) -> None: ...

    monkeypatch.setattr(train, "PeriodicEvaluation", Interrupting)
    folder = tmp_path / "run"
    assert main(["train", "sac", *QUICK, "--run-dir", str(folder)]) == code
    assert f"rl-info train --resume {folder}" in capsys.readouterr().out
    assert [path.name for path in (folder / CHECKPOINTS).iterdir()] == ["step_000000200"]


def test_skill_agent_trains_and_evaluates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from agents.evaluation.evaluate import EvaluationConfig

    quick = EvaluationConfig(rollouts=4, goals=2, video=False)
    evaluate_run = train.evaluate_run
    monkeypatch.setattr(train, "evaluate_run", lambda *where: evaluate_run(*where, quick))
    folder = tmp_path / "run"
    flags = [*QUICK, "--env", "gym/HalfCheetah-v5", "--run-dir", str(folder)]
    assert main(["train", "metra", *flags]) == 0
    picture = folder / "evaluation" / "trajectories.png"
    assert picture.stat().st_size > 10_000
    assert str(picture) in capsys.readouterr().out
    scalars = [line for line in read_metrics(folder) if "eval/coverage_cells_1m" in line]
    assert len(scalars) == 2
