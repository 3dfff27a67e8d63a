"""The `rl-info` command as a user meets it: real subprocesses, exit codes and messages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agents.cli import doctor, main


def command(*words: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agents.cli.main", *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def refused_training(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `rl-info train` says that exits 2 and leaves nothing in the empty working `folder`."""
    try:
        code: object = main.main(["train", *words])
    except SystemExit as stop:
        code = stop.code
    # The frame that flags are refused in breaks lines anywhere.
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert code == 2
    assert "Traceback" not in shown
    assert list(folder.iterdir()) == []
    return shown


def test_help_names_every_verb() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in main.VERBS)


def test_unknown_verb_exits_2_with_the_nearest_name() -> None:
    done = command("trian")
    assert done.returncode == 2
    assert "'train'" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_with_nothing_to_save_exits_130_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", interrupted)
    assert main.main(["doctor"]) == 130
    assert capsys.readouterr().err == "rl-info doctor: interrupted\n"


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    command_line = [sys.executable, "-m", "agents.cli.main", "train", "--help"]
    with subprocess.Popen(
        command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("kind", ["agents", "envs", "rewards", "estimators", "distractors"])
def test_list_prints_names_with_descriptions(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["list", kind, "--json"]) == 0
    names = json.loads(capsys.readouterr().out)
    assert all(name and description for name, description in names.items())
    assert main.main(["list", kind]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)


def test_list_holds_the_agents_envs_and_rewards_of_the_readme(
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = {
        "agents": {"sac", "diayn", "lsd", "metra"},
        "envs": {"dmc/cheetah-run", "dmc/swimmer-swimmer6", "gym/HalfCheetah-v5", "gym/Ant-v5"},
        "rewards": {"task", "diayn", "lsd", "metra"},
    }
    for kind, names in expected.items():
        assert main.main(["list", kind, "--json"]) == 0
        assert names <= set(json.loads(capsys.readouterr().out))


def test_list_of_an_unknown_kind_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["list", "agent"]) == 2
    assert "'agents'" in capsys.readouterr().err


def test_doctor_reports_every_part() -> None:
    done = command("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert {"python", "mujoco", "torch", "cpu", "gpu", "rendering", "physics"} <= set(findings)
    assert findings["physics"]["status"] == "ok"
    assert done.returncode == (1 if "fault" in {f["status"] for f in findings.values()} else 0)


def test_doctor_turns_a_broken_part_into_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check_physics() -> list[doctor.Finding]:
        raise OSError("libmujoco is gone")

    monkeypatch.setattr(doctor, "CHECKS", (doctor.check_python, check_physics))
    assert doctor.run([]) == 1
    shown = capsys.readouterr().out
    assert "FAIL  physics  OSError: libmujoco is gone" in shown


def test_doctor_names_the_version_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["mujoco>=99", "no-such-one"])
    old, missing = doctor.check_packages()
    assert old.status == missing.status == "fault"
    assert "needs >=99" in old.detail
    assert missing.fix == 'pip install "no-such-one"'
