"""How fast pictures are drawn, and how alike the renderers draw.

    python benchmarks/render_speed.py            # speeds, 64 x 64, one core
    python benchmarks/render_speed.py --sheet    # also every native task, drawn side by side

A repeat times all contenders in turn, so that a change of the machine's speed meets all of them
alike. Speeds are frames per second of processor time of this process, threads included; medians.
Contenders that are not installed are left out.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image

from envs.gl import available_backend, configure_gl

# MuJoCo reads its choice of OpenGL once, when first imported.
configure_gl()

import mujoco  # noqa: E402

from envs.pixels import make_renderer, stack_fields  # noqa: E402
from envs.registry import native_tasks  # noqa: E402

RESULTS = Path(__file__).parent / "results"
SIZE = 64
TASKS = ("cheetah-run", "walker-walk")
FRAMES = {"numba": 256, "numba, no shadows or mirrors": 256, "gl": 64, "exact": 6}


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 7
    """Interleaved repeats; the median counts."""
    sheet: bool = False
    """Draw every native task side by side (numba, exact, difference) as well."""
    output: Path = RESULTS / "render_speed.json"
    """Where the figures go, as JSON."""


def random_poses(model: mujoco.MjModel, count: int) -> list[mujoco.MjData]:
    """Simulations in random poses around the initial one."""
    rng, poses = np.random.default_rng(0), []
    for _ in range(count):
        data = mujoco.MjData(model)
        data.qpos += rng.normal(0, 0.15, model.nq)
        mujoco.mj_forward(model, data)
        poses.append(data)
    return poses


def contender(name: str, model: mujoco.MjModel, **options: Any) -> Callable[[], None]:
    """A call that draws `FRAMES` pictures by one of our renderers."""
    renderer = make_renderer(name.partition(",")[0], model, SIZE, SIZE, **options)
    fields = stack_fields(random_poses(model, FRAMES[name]), renderer.fields)
    out = renderer.render(fields)

    def draw() -> None:
        renderer.render(fields, out)

    return draw


def dm_control_contender(task: str) -> Callable[[], None]:
    """dm_control's own pictures."""
    from dm_control import suite

    env = suite.load(*task.split("-"), task_kwargs={"random": 0})
    env.reset()

    def draw() -> None:
        for _ in range(FRAMES["exact"]):
            env.physics.render(SIZE, SIZE, camera_id=0)

    draw()
    return draw


def measure(task: str, repeats: int) -> dict[str, float]:
    """Frames per second of processor time, by contender."""
    model = native_tasks()[f"dmc/{task}"]().model
    plain = {"shadows": False, "reflections": False}
    runs = {
        "numba": contender("numba", model),
        "numba, no shadows or mirrors": contender("numba, no shadows or mirrors", model, **plain),
    }
    if available_backend() is not None:
        runs["gl"] = contender("gl", model)
        runs["exact"] = contender("exact", model)
        runs["dm_control"] = dm_control_contender(task)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    frames = {**FRAMES, "dm_control": FRAMES["exact"]}
    return {name: frames[name] / statistics.median(times) for name, times in seconds.items()}


def compare(path: Path) -> dict[str, dict[str, float]]:
    """Write the side-by-side sheet; mean colour difference and agreement of masks, by task."""
    tiles, figures = [], {}
    for task_id, make in sorted(native_tasks().items()):
        model = make().model
        poses = random_poses(model, 2)
        exact, rays = (make_renderer(name, model, SIZE, SIZE) for name in ("exact", "numba"))
        drawn, cast = stack_fields(poses, exact.fields), stack_fields(poses, rays.fields)
        theirs, ours = exact.render(drawn), rays.render(cast)
        difference = np.abs(theirs.astype(int) - ours).astype(np.uint8)
        figures[task_id] = {
            "mean absolute difference of 255": float(difference.mean()),
            "agreement of masks": float((exact.segment(drawn) == rays.segment(cast)).mean()),
        }
        exact.close()
        tiles.append(np.concatenate([ours[0], theirs[0], difference[0]], axis=1))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 4)
    rows = [np.concatenate(tiles[k : k + 4], axis=1) for k in range(0, len(tiles), 4)]
    picture = Image.fromarray(np.concatenate(rows))
    picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST).save(path)
    return figures


def main() -> None:
    """Measure, print and write down."""
    settings = tyro.cli(Settings, description=__doc__)
    versions = {
        name: importlib.metadata.version(name) for name in ("mujoco", "dm-control", "numba")
    }
    report: dict[str, Any] = {
        "unit": "frames per second of processor time, 64 x 64, median of the repeats",
        "repeats": settings.repeats,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load_average_at_start": os.getloadavg()[0],
            "python": platform.python_version(),
            "opengl": available_backend(),
            "versions": versions,
        },
        "speeds": {},
        "over dm_control": {},
    }
    for task in TASKS:
        speeds = measure(task, settings.repeats)
        report["speeds"][task] = speeds
        base = speeds.get("dm_control")
        if base:
            report["over dm_control"][task] = {name: each / base for name, each in speeds.items()}
        for name, speed in speeds.items():
            print(f"{task:<14}{name:<32}{speed:>10,.0f}{speed / base if base else 0:>8.1f}x")
    if settings.sheet:
        report["likeness"] = compare(settings.output.parent / "renderers.png")
        for task_id, figures in report["likeness"].items():
            print(task_id, *(f"{value:.3f}" for value in figures.values()))
    settings.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
