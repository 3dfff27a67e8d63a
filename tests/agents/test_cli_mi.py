"""`rl-info mi` as a user meets it: files in, an estimate and its interval out, errors that help."""

from __future__ import annotations

import json
import math
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.cli import main

RHO = 0.75
TRUTH = -0.5 * math.log(1 - RHO**2)


def normal_pair(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, n))
    return x, RHO * x + math.sqrt(1 - RHO**2) * noise


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    x, y = normal_pair()
    path = tmp_path / "data.npz"
    np.savez(path, states=x, skills=y, cube=np.zeros((4, 2, 2)), words=np.array(["a"] * 4))
    return path


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agents.cli.main", "mi", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main.main(["mi", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_prints_estimate_interval_bound_estimator_and_reason(archive: Path) -> None:
    done = command(str(archive), "--x", "states", "--y", "skills")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for part in (
        "I(X;Y)",
        "nats",
        "90% interval",
        "no bound",
        "cca: tests of joint normality pass",
    ):
        assert part in done.stdout
    assert float(done.stdout.split()[1]) == pytest.approx(TRUTH, abs=0.05)


def test_the_command_names_the_nearest_array(archive: Path) -> None:
    done = command(str(archive), "--x", "state", "--y", "skills")
    assert done.returncode == 2
    assert "did you mean 'states'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_holds_what_the_text_says(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_json(capsys, str(archive), "--x", "states", "--y", "skills")
    assert found["value"] == pytest.approx(TRUTH, abs=0.05)
    assert found["interval"]["low"] < found["value"] < found["interval"]["high"]
    assert found["interval"]["level"] == 0.9
    assert (found["unit"], found["bound"], found["estimator"]) == ("nats", "none", "cca")
    assert found["shapes"] == {"x": [2000, 1], "y": [2000, 1]}
    assert found["reason"]
    assert found["warnings"] == []


def test_an_estimator_asked_for_by_name_is_used_and_repeats(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (str(archive), "--x", "states", "--y", "skills", "--estimator", "gaussian_copula")
    first = run_json(capsys, *words, "--seed", "1")
    assert first["estimator"] == "gaussian_copula"
    assert first["reason"] == "asked for by name"
    assert run_json(capsys, *words, "--seed", "1") == first


def test_two_array_files_and_a_table_give_the_same_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = normal_pair(300)
    np.save(tmp_path / "left.npy", x)
    np.save(tmp_path / "right.npy", y)
    lines = ["x, y", *(f"{float(a)!r}, {float(b)!r}" for a, b in zip(x, y, strict=True))]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    pair = run_json(capsys, str(tmp_path / "left.npy"), str(tmp_path / "right.npy"))
    table = run_json(capsys, str(tmp_path / "table.csv"))
    assert pair["value"] == pytest.approx(table["value"], abs=1e-12)


def test_several_columns_stand_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = normal_pair(300)
    np.savez(tmp_path / "data.npz", a=x, b=x**3 + y, c=y)
    found = run_json(capsys, str(tmp_path / "data.npz"), "--x", "a,b", "--y", "c")
    assert found["shapes"] == {"x": [300, 2], "y": [300, 1]}


def test_integers_are_counted_as_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.arange(600) % 4
    np.savez(tmp_path / "data.npz", x=labels, y=labels // 2)
    found = run_json(capsys, str(tmp_path / "data.npz"))
    assert found["estimator"] == "plug_in"
    assert found["value"] == pytest.approx(math.log(2), abs=1e-9)


def test_warnings_are_shown_with_the_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = normal_pair(300)
    np.savez(tmp_path / "data.npz", x=np.stack([x, np.ones(300)], axis=1), y=y)
    assert main.main(["mi", str(tmp_path / "data.npz"), "--estimator", "cca"]) == 0
    shown = capsys.readouterr().out
    assert "warning" in shown
    assert "never changes in column(s) [1]" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--x", "states"), "say which is meant by --y"),
        (("--x", "states", "--y", "words"), "not numbers"),
        (("--x", "states", "--y", "cube"), "reshape it first"),
        (("--x", "states,skill", "--y", "skills"), "did you mean 'skills'?"),
        (("--x", "states", "--y", "skills", "--estimator", "ccaa"), "did you mean 'cca'?"),
    ],
)
def test_requests_that_cannot_be_met_exit_2_naming_the_fix(
    archive: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["mi", str(archive), *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.npz", None, "No such file"),
        ("data.txt", b"1 2", "save the samples as one of them"),
        ("data.npz", b"no archive", "cannot read"),
        ("data.npy", b"", "cannot read"),
        ("data.csv", b"x,y\n1,2\n3\n", "row 2 has 1 values"),
        ("data.csv", b"x,y\n1,2\n3,b\n", "not numbers"),
        ("data.csv", b"x,y\n1.5,2\n2.5,nan\n", "y[1, 0] is nan"),
        ("data.csv", b"x,y\n", "holds no samples"),
    ],
)
def test_files_that_cannot_be_used_exit_2_in_one_line(
    tmp_path: Path,
    name: str,
    content: bytes | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    files = [str(path)] * (2 if name.endswith(".npy") else 1)
    assert main.main(["mi", *files]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_pickles_are_refused_rather_than_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "data.npz", x=np.array([{}, {}], dtype=object), y=np.zeros(2))
    assert main.main(["mi", str(tmp_path / "data.npz")]) == 2
    assert "allow_pickle=False" in capsys.readouterr().err


def test_a_terminal_sees_the_progress_of_learning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from agents.cli.mi import progress_bar

    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with progress_bar() as progress:
            assert progress is not None
            progress(30, 100)
            progress(60, 100)
        terminal.flush()
        shown = ""
        while select.select([master], [], [], 0.5)[0]:
            shown += os.read(master, 1 << 16).decode()
    os.close(master)
    assert "learning" in shown
    assert "/100" in shown
