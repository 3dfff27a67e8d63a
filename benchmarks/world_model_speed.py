"""Seconds per world-model update at size 12m against R2-Dreamer's public `infonce` update.

    python benchmarks/world_model_speed.py --peer FOLDER_OF_A_CHECKOUT_OF_NM512_R2DREAMER

An update is encoder, recurrence over observed time, KL, objective, reward and continuation,
backward pass, gradient clipping and LaProp, on synthetic 64×64×3 images; no actor or critic on
either side. All contenders take turns in every repeat; figures are medians. The floor is the time
of the matrix products and convolutions alone at the rate of a large matrix product measured in
the same repeats. R2-Dreamer convolves at full resolution and takes maxima, ours strides: the
column of GFLOP shows what that saves. `--device cuda` runs the same, eager, by wall time.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode
from world_model_peer import infonce_update

from rl_info.dynamics import ObservationSpec, SequenceBatch, WorldModel, WorldModelConfig
from rl_info.nn import Precision
from rl_info.nn.laprop import LaProp

RESULTS = Path(__file__).parent / "results" / "world_model_speed.json"
IMAGE, ACTION, MATRIX = (64, 64, 3), 6, 2048


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    peer: Path | None = None
    """Checkout of R2-Dreamer; without it only ours is measured."""
    shapes: tuple[tuple[int, int], ...] = ((8, 16), (16, 64))
    """Sequences and steps of the batches."""
    threads: int = 1
    """Threads of torch."""
    repeats: int = 7
    """Interleaved repeats; the median counts."""
    device: str = "cpu"
    """Where to run."""
    profile: Path | None = None
    """Folder for a table of where the time of each contender goes."""
    output: Path = RESULTS
    """Where the figures go, as JSON."""


@dataclass(frozen=True)
class Contender:
    """Something that makes updates."""

    name: str
    precision: Precision
    update: Callable[[], None]


@dataclass(frozen=True)
class Row:
    """What came out for one contender."""

    batch: int
    steps: int
    contender: str
    cpu_seconds: float
    """CPU time of one update: what counts on a shared machine."""
    wall_seconds: float
    over_peer: float | None
    """Speed over R2-Dreamer's, by CPU time on the CPU and wall time on a GPU."""
    gflop: float
    floor_seconds: float
    """Time of the products alone."""
    of_floor: float
    """Floor over time."""


def synthetic(rows: int, steps: int, device: str) -> SequenceBatch:
    """A batch of random numbers with one episode beginning."""
    generator = torch.Generator().manual_seed(0)
    is_first = torch.zeros(rows, steps, dtype=torch.bool)
    is_first[0, 0] = True
    batch = {
        "obs": torch.randint(0, 256, (rows, steps, *IMAGE), generator=generator, dtype=torch.uint8),
        "action": torch.rand(rows, steps, ACTION, generator=generator) * 2 - 1,
        "reward": torch.randn(rows, steps, generator=generator),
        "terminated": torch.zeros(rows, steps, dtype=torch.bool),
        "is_first": is_first,
    }
    return SequenceBatch(**{name: value.to(device) for name, value in batch.items()})


def ours(representation: str, precision: Precision, batch: SequenceBatch, device: str) -> Contender:
    """This repository's update, eager."""
    generator = torch.Generator().manual_seed(0)
    config = WorldModelConfig(size="12m", representation=representation, precision=precision)
    model = WorldModel(ObservationSpec(IMAGE), ACTION, config, generator).to(device)
    optimiser = LaProp(parameter for parameter in model.parameters() if parameter.requires_grad)
    draws = torch.Generator(device).manual_seed(0)

    def update() -> None:
        losses, metrics, _ = model.loss(batch, generator=draws)
        model.total(losses).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        model.after_update(metrics)

    return Contender(f"rl-info {representation} {precision}", precision, update)


def contenders(batch: SequenceBatch, settings: Settings) -> list[Contender]:
    """All that take turns; the peer, if any, comes first."""
    found = []
    if settings.peer is not None:
        data = {
            "image": batch.obs,
            "action": batch.action,
            "reward": batch.reward.unsqueeze(-1),
            "terminal": batch.terminated.unsqueeze(-1),
            "first": batch.is_first.unsqueeze(-1),
        }
        update = infonce_update(settings.peer, IMAGE, ACTION, settings.device)
        found.append(Contender("r2dreamer infonce float32", "float32", lambda: update(data)))
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for representation in ("infonce", "infopower"):
        for precision in precisions:
            found.append(ours(representation, precision, batch, settings.device))
    return found


def timed(action: Callable[[], None], device: str) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.process_time() - cpu, time.perf_counter() - wall


def matrix_rate(precision: Precision, device: str) -> float:
    """GFLOP/s of a large matrix product right now, by CPU time on the CPU."""
    dtype = getattr(torch, precision)
    left, right = torch.randn(2, MATRIX, MATRIX, device=device).to(dtype)
    torch.mm(left, right)
    cpu, wall = timed(lambda: [torch.mm(left, right) for _ in range(3)] and None, device)
    return 2.0 * MATRIX**3 * 3 / (cpu if device == "cpu" else wall) / 1e9


def measure(shape: tuple[int, int], settings: Settings) -> list[Row]:
    """Time all contenders on one shape, interleaved."""
    batch = synthetic(*shape, settings.device)
    entrants = contenders(batch, settings)
    work = []
    for entrant in entrants:
        entrant.update()
        with FlopCounterMode(display=False) as counter:
            entrant.update()
        work.append(counter.get_total_flops() / 1e9)
    times: list[list[tuple[float, float]]] = [[] for _ in entrants]
    rates: dict[Precision, list[float]] = {"float32": [], "bfloat16": []}
    for _ in range(settings.repeats):
        for precision, seen in rates.items():
            seen.append(matrix_rate(precision, settings.device))
        for entrant, seen_times in zip(entrants, times, strict=True):
            seen_times.append(timed(entrant.update, settings.device))
    medians = [tuple(map(statistics.median, zip(*seen, strict=True))) for seen in times]
    counted = 0 if settings.device == "cpu" else 1
    rows = []
    for entrant, gflop, median in zip(entrants, work, medians, strict=True):
        floor = gflop / statistics.median(rates[entrant.precision])
        over = medians[0][counted] / median[counted] if settings.peer else None
        rows.append(Row(*shape, entrant.name, *median, over, gflop, floor, floor / median[counted]))
        if settings.profile is not None:
            profile(entrant, shape, settings.profile)
    return rows


def profile(entrant: Contender, shape: tuple[int, int], folder: Path) -> None:
    """Write where the time of one update goes."""
    with torch.profiler.profile() as seen:
        entrant.update()
    folder.mkdir(parents=True, exist_ok=True)
    table = seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=25)
    name = f"{entrant.name.replace(' ', '_')}_B{shape[0]}_T{shape[1]}.txt"
    (folder / name).write_text(table + "\n")


def main() -> None:
    """Measure, print a table and write it down."""
    settings = tyro.cli(Settings, description=__doc__)
    torch.set_num_threads(settings.threads)
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    report: dict[str, Any] = {
        "unit": "seconds per world-model update, median of the repeats",
        "shapes": {"image": IMAGE, "action": ACTION, "size": "12m"},
        "machine": {
            "device": settings.device,
            "cpu": names[0].partition(":")[2].strip() if names else platform.processor(),
            "cores": os.cpu_count(),
            "threads": settings.threads,
            "load at the start": os.getloadavg()[0],
            "torch": torch.__version__,
        },
        "rows": [],
    }
    print(f"{'B×T':>7}  {'contender':<30}{'CPU s':>8}{'wall s':>8}{'over peer':>10}{'GFLOP':>8}"
          f"{'floor s':>9}{'of floor':>9}")  # fmt: skip
    for shape in settings.shapes:
        for row in measure(shape, settings):
            report["rows"].append(asdict(row))
            over = "" if row.over_peer is None else f"{row.over_peer:.2f}"
            print(
                f"{row.batch:>3}×{row.steps:<3}  {row.contender:<30}{row.cpu_seconds:>8.3f}"
                f"{row.wall_seconds:>8.3f}{over:>10}{row.gflop:>8.1f}{row.floor_seconds:>9.3f}"
                f"{row.of_floor:>9.2f}",
                flush=True,
            )
        # After each shape: the large ones take minutes, and nothing measured shall be lost.
        settings.output.parent.mkdir(parents=True, exist_ok=True)
        settings.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {settings.output}")


if __name__ == "__main__":
    main()
