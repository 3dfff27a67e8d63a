"""What distractors look like, and what they cost.

    python -m benchmarks.distractors            # contact sheet and speeds

A repeat times all contenders in turn, so that a change of the machine's speed meets all of them
alike. Speeds are pictures per second of processor time of this process, threads included; medians.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import tyro
from jaxtyping import UInt8

import envs
from envs.pixels import PixelSettings
from envs.pixels.distractors import DistractorSettings
from envs.pixels.world import PixelWorld

RESULTS = Path(__file__).parent / "results"
TASK = "dmc/cheetah-run"
WORLDS = 16
FILMS = ("robot", "road", "noise", "gas")
MOMENTS = (0, 10, 25, 49, 50)
"""Control steps after the start; another film is shown from step 50 on."""
VARIANTS: dict[str, dict[str, Any]] = {
    "window L1": {"window": "L1"},
    "window L2": {"window": "L2"},
    "floor kept": {"floor": False},
    "grey": {"colour": False},
}
CONTENDERS: dict[str, dict[str, Any]] = {
    "no distractor": {},
    "film": {"film": "noise"},
    "film, camera and colour jitter": {
        "film": "noise",
        "camera_jitter": 3.0,
        "colour_jitter": 0.1,
    },
    "camera and colour jitter": {"camera_jitter": 3.0, "colour_jitter": 0.1},
}


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 9
    """Interleaved repeats; the median counts."""
    output: Path = RESULTS / "distractors.json"
    """Where the figures go, as JSON; the sheet beside it."""


def make(num_envs: int, **options: Any) -> PixelWorld:
    """Worlds with distractors."""
    settings = PixelSettings(frame_stack=1, distractors=DistractorSettings(**options))
    world = envs.make_vec(TASK, num_envs=num_envs, seed=1, pixels=settings)
    assert isinstance(world, PixelWorld)
    world.reset()
    return world


def watch(moments: tuple[int, ...], **options: Any) -> list[UInt8[np.ndarray, "H W 3"]]:
    """Pictures of one world under random actions."""
    world, source, pictures = make(1, **options), np.random.default_rng(0), []
    obs = world.reset(seed=1)[0]
    for step in range(max(moments) + 1):
        if step in moments:
            pictures.append(obs[0].transpose(1, 2, 0))
        obs = world.step(source.uniform(-1, 1, (1, 6)).astype(np.float32))[0]
    world.close()
    return pictures


def draw_sheet(path: Path) -> None:
    """Every film over time at L3, then its windows and switches; the jitters in the last row."""
    columns = len(MOMENTS) + len(VARIANTS)
    figure, grid = plt.subplots(len(FILMS) + 2, columns, figsize=(1.35 * columns, 8.9), dpi=110)
    rows: list[list[tuple[str, Any]]] = []
    steps = [f"step {moment}" for moment in MOMENTS]
    for film in FILMS:
        seen = list(zip(steps, watch(MOMENTS, film=film), strict=True))
        seen += [(name, watch((25,), film=film, **o)[0]) for name, o in VARIANTS.items()]
        rows.append(seen)
    train, unseen = (
        [(f"{split} {k}", frame) for k, frame in enumerate(_first_frames(split, 4))]
        for split in ("train", "eval")
    )
    rows.append([*train, *unseen])
    plain = [("no distractor", watch((0,))[0])]
    rows.append(
        plain
        + [(f"camera, episode {k + 1}", p) for k, p in enumerate(_episodes(4, camera_jitter=4.0))]
        + [(f"colour, episode {k + 1}", p) for k, p in enumerate(_episodes(4, colour_jitter=0.3))]
    )
    names = [*FILMS, "banks\n(road)", "jitter"]
    for axes, row, name in zip(grid, rows, names, strict=True):
        axes[0].set_ylabel(name, fontsize=10)
        for axis, (caption, picture) in zip(axes, row, strict=False):
            axis.imshow(picture, interpolation="nearest")
            axis.set_title(caption, fontsize=7, pad=2)
        for axis in axes:
            axis.set_xticks([])
            axis.set_yticks([])
        for axis in axes[len(row) :]:
            axis.set_visible(False)
    figure.tight_layout(pad=0.4)
    figure.savefig(path)
    plt.close(figure)


def _first_frames(split: str, count: int) -> list[UInt8[np.ndarray, "H W 3"]]:
    world = make(1, film="road", split=split, films=count)
    view = world._view
    assert view is not None
    assert view.bank is not None
    return [view.bank.frames[first] for first in view.bank.starts]


def _episodes(count: int, **options: Any) -> list[UInt8[np.ndarray, "H W 3"]]:
    world = make(1, **options)
    return [world.reset(seed=None if k else 1)[0][0].transpose(1, 2, 0) for k in range(count)]


def measure(repeats: int) -> dict[str, float]:
    """Pictures per second of processor time, by contender; drawing alone, without physics."""
    draws: dict[str, Callable[[], Any]] = {
        name: make(WORLDS, **options)._draw for name, options in CONTENDERS.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in draws}
    for repeat in range(repeats + 1):
        for name, draw in draws.items():
            start = time.process_time()
            for _ in range(8):
                draw()
            if repeat:
                seconds[name].append(time.process_time() - start)
    return {name: 8 * WORLDS / statistics.median(times) for name, times in seconds.items()}


def banks() -> dict[str, dict[str, float]]:
    """Memory and the processor's seconds to make 16 films of 100 frames of 64 x 64, by film."""
    made = {}
    for film in FILMS:
        start = time.process_time()
        view = make(1, film=film)._view
        assert view is not None
        assert view.bank is not None
        seconds = round(time.process_time() - start, 2)
        made[film] = {
            "megabytes": round(view.bank.megabytes, 1),
            "seconds, world included": seconds,
        }
    return made


def main() -> None:
    """Draw, measure, print and write down."""
    settings = tyro.cli(Settings, description=__doc__)
    draw_sheet(settings.output.with_suffix(".png"))
    speeds = measure(settings.repeats)
    base = speeds["no distractor"]
    report = {
        "task": TASK,
        "worlds": WORLDS,
        "unit": "pictures per second of processor time, 64 x 64, numba renderer, median",
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load_average_at_start": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        "speeds": speeds,
        "share of the time without": {name: base / speed for name, speed in speeds.items()},
        "banks": banks(),
    }
    for name, speed in speeds.items():
        print(f"{name:<34}{speed:>8,.0f} pictures/s{base / speed:>8.2f} of the time")
    for name, figures in report["banks"].items():  # type: ignore[attr-defined]
        print(f"{name:<8}", figures)
    settings.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
