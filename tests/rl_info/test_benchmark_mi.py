"""The benchmark of truths end to end with a budget of seconds: measure, resume, tell failures."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def mi(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.mi.__main__ as command
    from benchmarks.mi import grid, published, report, run, summary

    class Modules:
        pass

    modules = Modules()
    modules.command, modules.grid, modules.run = command, grid, run
    modules.published, modules.report, modules.summary = published, report, summary
    return modules


@pytest.fixture
def call(mi, tmp_path, monkeypatch, capsys):
    def run(*arguments):
        where = ["--records", str(tmp_path / "records.jsonl"), "--output", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["mi", *arguments, *where, "--quiet"])
        mi.command.main()
        return capsys.readouterr().out

    return run


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


SMALL = ("--estimators", "cca", "--seeds", "0", "1", "--samples", "300")


def test_estimates_are_measured_tabled_and_drawn(call, tmp_path):
    out = call("truths", "normals", "--tasks", "normal-1x1", "normal-2-nats-[12]x*", *SMALL)
    assert "6 cells, 6 to measure" in out
    rows = {row["task"]: row for row in table(tmp_path / "out/mi_truths.csv")}
    row = rows["normal-1x1"]
    assert float(row["truth"]) == pytest.approx(0.4133, abs=1e-4)
    assert float(row["mean"]) == pytest.approx(0.41, abs=0.1)
    assert float(row["bias"]) == pytest.approx(float(row["mean"]) - float(row["truth"]), abs=1e-4)
    assert row["seeds"] == "2"
    assert row["published KSG"] == "0.413"
    assert len(table(tmp_path / "out/mi_normals.csv")) == 2
    assert json.loads((tmp_path / "out/mi.json").read_text())["records"] == 6


def test_what_was_measured_is_not_measured_again(call, tmp_path):
    call("samples", "--tasks", "normal-1x1", *SMALL)
    before = (tmp_path / "records.jsonl").read_text()
    assert "2 cells, 0 to measure" in call("samples", "--tasks", "normal-1x1", *SMALL)
    assert (tmp_path / "records.jsonl").read_text() == before
    cut = before.splitlines(keepends=True)
    (tmp_path / "records.jsonl").write_text(cut[0] + cut[1][:40])
    assert "2 cells, 1 to measure" in call("samples", "--tasks", "normal-1x1", *SMALL)
    again = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    values = [json.loads(line)["value"] for line in cut]
    assert [record["value"] for record in again] == values


@pytest.mark.slow
def test_processes_give_the_same_values(call, tmp_path):
    call("samples", "--tasks", "normal-1x1", *SMALL)
    one = {json.loads(line)["seed"]: json.loads(line)["value"]
           for line in (tmp_path / "records.jsonl").read_text().splitlines()}  # fmt: skip
    (tmp_path / "records.jsonl").unlink()
    call("samples", "--tasks", "normal-1x1", *SMALL, "--jobs", "2")
    two = {json.loads(line)["seed"]: json.loads(line)["value"]
           for line in (tmp_path / "records.jsonl").read_text().splitlines()}  # fmt: skip
    assert one == two


def test_a_refusal_is_recorded_shown_and_retried_on_demand(call, tmp_path):
    few = ("truths", "--tasks", "normal-dense-50x50", "--estimators", "cca", "--seeds", "0",
           "--samples", "60")  # fmt: skip
    call(*few)
    row = table(tmp_path / "out/mi_truths.csv")[0]
    assert row["refused"] == "1"
    assert row["error"].startswith("ValueError")
    assert not row.get("mean")
    assert "1 cells, 0 to measure" in call(*few)
    assert "1 cells, 1 to measure" in call(*few, "--retry", "--dry-run")


def test_a_reader_that_has_seen_enough_is_no_error_worth_a_traceback():
    read, write = os.pipe()
    # Nobody reads, so that the first write fails, as after `head` has left.
    os.close(read)
    command = [sys.executable, "-m", "benchmarks.mi", "--dry-run"]
    ended = subprocess.run(
        command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("truth",), "no part matches 'truth'"),
        (("truths", "--tasks", "nowhere"), "no task matches 'nowhere'"),
        (("--estimators", "ccca"), "no estimator matches 'ccca'"),
    ],
)
def test_wrong_names_are_refused(call, arguments, message):
    with pytest.raises(ValueError, match=message):
        call(*arguments)


def test_no_processes_are_refused(mi):
    with pytest.raises(ValueError, match="jobs must be at least 1"):
        mi.command.Settings(jobs=0)


def test_a_broken_file_of_records_is_refused(call, tmp_path):
    (tmp_path / "records.jsonl").write_text("nonsense\n{}\n")
    with pytest.raises(ValueError, match="line 1 is not a record"):
        call("truths", "--collect")


def test_all_estimators_see_the_same_samples_and_no_two_settings_share_them(mi):
    cell = mi.grid.Cell("normal-1x1", "cca", 100, 0)
    assert cell.data_seed() == mi.grid.Cell("normal-1x1", "ksg", 100, 0).data_seed()
    others = {mi.grid.Cell(*key).data_seed() for key in (
        ("normal-1x1", "cca", 100, 1), ("normal-1x1", "cca", 101, 0), ("wiggly-1x1", "cca", 100, 0)
    )}  # fmt: skip
    assert len(others | {cell.data_seed()}) == 4


def test_every_estimator_is_in_the_grid_and_parts_do_not_repeat_cells(mi):
    from rl_info.estimators import ESTIMATORS

    cells = mi.grid.cells(mi.grid.PARTS, mi.grid.Choice())
    assert set(ESTIMATORS) <= {cell.estimator for cell in cells}
    assert len(cells) == len(set(cells))
    assert set(mi.published.TRUTHS) <= set(mi.grid.PARTS["truths"].tasks)
    trained = [mi.grid.learns(cell.estimator) for cell in cells]
    assert trained == sorted(trained)


def records_of(mi, values_by_seed, task="normal-2-nats-1x1", truth=2.0):
    return {
        mi.grid.Cell(task, "e", 10_000, seed): {
            "dims": [1, 1], "truth": truth, "value": value, "std_error": 0.1, "low": value - 0.15,
            "high": value + 0.15, "bound": "none", "cpu_seconds": 1.0, "warnings": [],
        }
        for seed, value in enumerate(values_by_seed)
    }  # fmt: skip


def test_a_summary_by_hand(mi):
    (row,) = mi.summary.summarise(records_of(mi, [1.9, 2.2, 2.1]))
    assert row["bias"] == pytest.approx(0.2 / 3)
    assert row["spread"] == pytest.approx(math.sqrt(7 / 3) / 10)
    assert row["absolute_error"] == pytest.approx(0.4 / 3)
    assert row["coverage_90"] == pytest.approx(2 / 3)


def test_every_plot_is_drawn_where_there_are_records(mi, tmp_path):
    records = {}
    tasks = ["normal-1x1", "normal-dense-2x2", "normal-dense-25x25", "normal-4-nats-20x20"]
    for task in tasks + [f"normal-2-nats-{d}x{d}" for d in (1, 2, 3, 20)]:
        dims = [int(d) for d in task.rsplit("-", 1)[1].split("x")]
        for cell, record in records_of(mi, [1.9, 2.2], task).items():
            records[replace(cell, estimator="infonce")] = record | {"dims": dims}
    written = {path.name for path in mi.report.collect(records, tmp_path)}
    assert {f"mi_{name}.png" for name in ("truths", "normals", "failures", "samples")} <= written
    assert all((tmp_path / name).stat().st_size > 5_000 for name in written if ".png" in name)
    assert {p.name for p in mi.report.collect({}, tmp_path / "none")} == {"mi.json"}


def test_published_errors_are_beaten_only_at_every_point_and_in_every_dimension(mi):
    def records(error, dims=(1, 2, 3)):
        return {
            cell: record
            for nats in mi.grid.INFORMATION
            for d in dims
            for cell, record in records_of(
                mi, [nats + error(nats), nats - error(nats)], f"normal-{nats:g}-nats-{d}x{d}", nats
            ).items()
        }

    def beats(error, dims=(1, 2, 3)):
        rows = mi.summary.summarise(records(error, dims))
        return mi.summary.errors_by_information(rows).get("e", {"beats_published": None})

    good = beats(lambda nats: 0.01)
    assert good["beats_published"]
    assert good["by_information"][2.0]["absolute_error"] == pytest.approx(0.01)
    assert good["by_information"][2.0]["error_of_mean"] == pytest.approx(0, abs=1e-9)
    assert not beats(lambda nats: 0.03 if nats == 2 else 0.01)["beats_published"]
    assert beats(lambda nats: 0.01, dims=(1, 2))["beats_published"] is None
