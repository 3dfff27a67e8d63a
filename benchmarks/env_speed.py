"""How fast the native worlds step, against the C loop's limit and against their peers.

    python benchmarks/env_speed.py

Every contender steps the same number of worlds with the same random actions and hands out
observations and rewards. The limit, one long call of `mujoco.rollout` on the original model from
the same states, hands out neither.
A repeat resets, warms up and then times all contenders in turn, so that a change of the machine's
speed meets all of them alike. Figures are medians, in control steps of one world per second.
Peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import tyro
from mujoco import rollout

import envs
from envs.backends.batch import BatchWorld

RESULTS = Path(__file__).parent / "results" / "env_speed.json"
WARM_UP = 30
PACKAGES = ("mujoco", "dm-control", "gymnasium", "envpool", "numpy", "numba")


@dataclass(frozen=True)
class Workload:
    """One task with N worlds."""

    task_id: str
    num_envs: int
    steps: int
    """Control steps per repeat: some tenths of a second, and no episode reaches its limit."""
    envpool_id: str

    @property
    def label(self) -> str:
        """Such as `dmc/cheetah-run N=64`."""
        return f"{self.task_id} N={self.num_envs}"


WORKLOADS = (
    Workload("dmc/cheetah-run", 16, 900, "CheetahRun-v1"),
    Workload("dmc/cheetah-run", 64, 500, "CheetahRun-v1"),
    Workload("dmc/walker-run", 16, 200, "WalkerRun-v1"),
    Workload("dmc/walker-run", 64, 50, "WalkerRun-v1"),
    Workload("gym/HalfCheetah-v5", 16, 500, "HalfCheetah-v5"),
    Workload("gym/HalfCheetah-v5", 64, 150, "HalfCheetah-v5"),
    Workload("gym/Ant-v5", 16, 120, "Ant-v5"),
    Workload("gym/Ant-v5", 64, 30, "Ant-v5"),
)


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 7
    """Interleaved repeats; the median counts."""
    only: str = ""
    """Run only workloads whose label contains this, such as `cheetah-run N=64`."""
    threads: tuple[int, ...] = (1, 2)
    """Numbers of threads to try."""
    output: Path = RESULTS
    """Where the figures go, as JSON."""


@dataclass(frozen=True)
class Contender:
    """Something that steps worlds: `prepare` is not timed, `run` is."""

    name: str
    threads: int
    prepare: Callable[[], None]
    run: Callable[[], None]


@dataclass
class Row:
    """What came out for one workload and one contender."""

    workload: str
    contender: str
    threads: int
    env_steps_per_second: float
    of_limit: float
    """Speed over the limit's with equally many threads."""
    seconds: list[float] = field(default_factory=list)
    """Wall seconds of every repeat."""


def draw_actions(world: BatchWorld, steps: int) -> np.ndarray:
    """Uniform actions within the bounds, float32 of shape (steps, N, A)."""
    space = world.single_action_space
    shape = (steps, world.num_envs, *space.shape)
    return np.random.default_rng(0).uniform(space.low, space.high, shape).astype(np.float32)


def make_world(load: Workload, threads: int) -> BatchWorld:
    """Our own worlds."""
    world = envs.make_vec(load.task_id, num_envs=load.num_envs, seed=0, num_threads=threads)
    assert isinstance(world, BatchWorld)
    return world


def step_all(step: Callable[[np.ndarray], Any], actions: np.ndarray) -> None:
    """Call `step` with each of the actions."""
    for action in actions:
        step(action)


def ours(load: Workload, threads: int) -> Contender:
    """The native worlds of this repository."""
    world = make_world(load, threads)
    actions = draw_actions(world, WARM_UP + load.steps)

    def prepare() -> None:
        world.reset(seed=0)
        step_all(world.step, actions[:WARM_UP])

    return Contender("rl-info", threads, prepare, lambda: step_all(world.step, actions[WARM_UP:]))


def limit(load: Workload, threads: int) -> Contender:
    """The same physics from the same states under the same controls, in one call of C."""
    world = make_world(load, 1)
    actions = draw_actions(world, WARM_UP + load.steps)
    world.reset(seed=0)
    step_all(world.step, actions[:WARM_UP])
    model, kind = original_model(load, world), mujoco.mjtState.mjSTATE_FULLPHYSICS
    data = [mujoco.MjData(model) for _ in range(threads)]
    states = np.empty((load.num_envs, mujoco.mj_stateSize(model, kind)))
    for index, state in enumerate(states):
        ours = world.export(index)[1]
        data[0].qpos[:], data[0].qvel[:], data[0].time = ours.qpos, ours.qvel, ours.time
        mujoco.mj_getState(model, data[0], state, kind)
    controls = actions[WARM_UP:].transpose(1, 0, 2).astype(np.float64)
    controls = np.repeat(controls, world.task.num_substeps, axis=1)
    pool = rollout.Rollout(nthread=threads if threads > 1 else 0)

    def run() -> None:
        pool.rollout(model, data, initial_state=states, control=controls)

    return Contender("limit", threads, lambda: None, run)


def original_model(load: Workload, world: BatchWorld) -> mujoco.MjModel:
    """Gymnasium's model, to which our Ant adds a sensor, or the suite's, which is ours as well."""
    family, _, name = load.task_id.partition("/")
    if family != "gym":
        return world.task.model
    return gymnasium.make(name).unwrapped.model  # type: ignore[attr-defined]


def envpool_worlds(load: Workload, threads: int) -> Contender:
    """envpool, which steps in C++ with a MuJoCo of its own."""
    import envpool

    world = envpool.make(
        load.envpool_id,
        env_type="gymnasium",
        num_envs=load.num_envs,
        num_threads=threads,
        seed=0,
    )
    actions = draw_actions(make_world(load, 1), WARM_UP + load.steps).astype(np.float64)

    def prepare() -> None:
        world.reset()
        step_all(world.step, actions[:WARM_UP])

    return Contender("envpool", threads, prepare, lambda: step_all(world.step, actions[WARM_UP:]))


def python_loop(load: Workload) -> Contender:
    """The original: a loop over dm_control environments, or gymnasium's SyncVectorEnv."""
    actions = draw_actions(make_world(load, 1), WARM_UP + load.steps)
    family, _, name = load.task_id.partition("/")
    label, reset, step = LOOPS[family](name, load.num_envs)

    def prepare() -> None:
        reset()
        step_all(step, actions[:WARM_UP])

    return Contender(label, 1, prepare, lambda: step_all(step, actions[WARM_UP:]))


Loop = tuple[str, Callable[[], Any], Callable[[np.ndarray], Any]]


def dm_control_loop(name: str, num_envs: int) -> Loop:
    """dm_control environments, one after the other."""
    from dm_control import suite

    domain, task = name.split("-")
    worlds = [suite.load(domain, task, task_kwargs={"random": seed}) for seed in range(num_envs)]

    def step(action: np.ndarray) -> None:
        for world, own in zip(worlds, action, strict=True):
            world.step(own)

    return "dm_control loop", lambda: [world.reset() for world in worlds], step


def gymnasium_loop(name: str, num_envs: int) -> Loop:
    """gymnasium's environments, one after the other."""
    world = gymnasium.make_vec(name, num_envs=num_envs, vectorization_mode="sync")
    return "SyncVectorEnv", lambda: world.reset(seed=0), world.step


LOOPS: Mapping[str, Callable[[str, int], Loop]] = {"dmc": dm_control_loop, "gym": gymnasium_loop}


def contenders(load: Workload, threads: tuple[int, ...]) -> Iterator[Contender]:
    """All that can run here."""
    for count in threads:
        yield limit(load, count)
        yield ours(load, count)
        if importlib.util.find_spec("envpool") is not None:
            yield envpool_worlds(load, count)
    yield python_loop(load)


def measure(load: Workload, settings: Settings) -> list[Row]:
    """Time all contenders of one workload, interleaved."""
    entrants = list(contenders(load, settings.threads))
    seconds: list[list[float]] = [[] for _ in entrants]
    for _ in range(settings.repeats):
        for entrant, times in zip(entrants, seconds, strict=True):
            entrant.prepare()
            start = time.perf_counter()
            entrant.run()
            times.append(time.perf_counter() - start)
    speeds = [load.num_envs * load.steps / statistics.median(times) for times in seconds]
    limits = {
        entrant.threads: speed
        for entrant, speed in zip(entrants, speeds, strict=True)
        if entrant.name == "limit"
    }
    return [
        Row(load.label, each.name, each.threads, speed, speed / limits[each.threads], times)
        for each, speed, times in zip(entrants, speeds, seconds, strict=True)
    ]


def ratios(rows: list[Row]) -> dict[str, float]:
    """The ratios that the targets speak of, for one workload."""
    speed = {(row.contender, row.threads): row.env_steps_per_second for row in rows}
    base = speed["rl-info", 1]
    found = {"of limit, 1 thread": base / speed["limit", 1]}
    for (name, threads), other in speed.items():
        if name not in ("rl-info", "limit"):
            found[f"over {name}, {threads} thread"] = speed["rl-info", threads] / other
        elif name == "rl-info" and threads > 1:
            found[f"of limit, {threads} threads"] = other / speed["limit", threads]
            found[f"{threads} threads over 1"] = other / base
    return found


def describe_machine() -> dict[str, Any]:
    """Processor, cores and versions."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    versions = {
        name: importlib.metadata.version(name)
        for name in PACKAGES
        if importlib.util.find_spec(name.replace("-", "_")) is not None
    }
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average_at_start": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions,
    }


def main() -> None:
    """Measure, print a table and write it down."""
    settings = tyro.cli(Settings, description=__doc__)
    report: dict[str, Any] = {
        "unit": "control steps of one world per second of wall time, median of the repeats",
        "repeats": settings.repeats,
        "machine": describe_machine(),
        "rows": [],
        "ratios": {},
    }
    print(f"{'workload':<28}{'contender':<18}{'threads':>7}{'env-steps/s':>14}{'of limit':>10}")
    for load in WORKLOADS:
        if settings.only not in load.label:
            continue
        rows = measure(load, settings)
        for row in rows:
            print(
                f"{row.workload:<28}{row.contender:<18}{row.threads:>7}"
                f"{row.env_steps_per_second:>14,.0f}{row.of_limit:>10.2f}"
            )
        report["rows"] += [asdict(row) for row in rows]
        report["ratios"][load.label] = ratios(rows)
        print("  " + "; ".join(f"{name} {value:.2f}" for name, value in ratios(rows).items()))
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {settings.output}")


if __name__ == "__main__":
    main()
