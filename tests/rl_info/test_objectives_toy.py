"""Where the committed comparison of contrastive objectives stands, and that it can be made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import objectives_toy

    threads = torch.get_num_threads()
    yield objectives_toy
    torch.set_num_threads(threads)


def test_dcl_learns_more_than_nt_xent_from_small_batches_and_as_much_from_large(toy):
    settings = toy.Settings(rows=2_048, seeds=(0, 1), steps_per_row=(1e-4,))
    found = {
        (name, batch): sum(
            toy.train(toy.OBJECTIVES[name], batch, 1e-4, seed, settings)[0] for seed in (0, 1)
        )
        / 2
        for name in ("NT-Xent", "DCL")
        for batch in (8, 256)
    }
    small = found["DCL", 8] - found["NT-Xent", 8]
    large = found["DCL", 256] - found["NT-Xent", 256]
    assert small > 0.05
    assert small > 2 * abs(large)


def test_the_committed_results_say_so_at_five_seeds(toy):
    rows = json.loads((ROOT / "benchmarks/results/objectives_toy.json").read_text())["rows"]
    retrieved = {(r["objective"], r["batch"]): r for r in rows if r["step_per_row"] == 3e-5}
    for batch in (8, 16, 32):
        plain, decoupled = retrieved["NT-Xent", batch], retrieved["DCL", batch]
        assert decoupled["retrieved"] - plain["retrieved"] > plain["retrieved_deviation"]
    gaps = [retrieved["DCL", b]["retrieved"] - retrieved["NT-Xent", b]["retrieved"]
            for b in (8, 32, 256)]  # fmt: skip
    assert gaps[0] > gaps[1] > gaps[2]


def test_results_are_written_and_repeat(toy, tmp_path, monkeypatch, capsys):
    arguments = ["--batches", "8", "--steps-per-row", "1e-4", "--seeds", "0", "--rows", "64"]
    monkeypatch.setattr(sys, "argv", ["toy", *arguments, "--output", str(tmp_path)])
    toy.main()
    first = json.loads((tmp_path / "objectives_toy.json").read_text())
    toy.main()
    again = json.loads((tmp_path / "objectives_toy.json").read_text())
    for one, two in zip(first["rows"], again["rows"], strict=True):
        # LAPACK's last bit depends on where memory lies.
        assert one.pop("explained") == pytest.approx(two.pop("explained"), abs=1e-12)
        assert one == two
    assert [row["objective"] for row in first["rows"]] == list(toy.OBJECTIVES)
    assert (tmp_path / "objectives_toy.png").stat().st_size > 1_000
