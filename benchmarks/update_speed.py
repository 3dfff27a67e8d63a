"""Updates per second of multi-critic SAC against stable-baselines3's SAC at equal shapes.

    python benchmarks/update_speed.py

Both update on batches of 256 steps with observations of width 17 and actions of width 6, two
hidden layers, two critics, from memory that is already filled; sampling the batch counts for
both. All contenders take turns in every repeat, so that a change of the machine's speed meets
them alike; figures are medians of wall time. The floor is the time that the arithmetic alone
takes at the rate of a large matrix product measured in the same repeat.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
import tyro
from stable_baselines3 import SAC
from stable_baselines3.common.logger import Logger

from agents.learners.config import SACConfig
from agents.learners.reward_term import RewardTerm
from agents.learners.sac import MultiCriticSAC
from agents.training.replay import Replay
from agents.training.replay_layout import ReplayLayout, StepArrays
from rl_info.nn import Precision
from rl_info.rewards import RewardContext, TaskConfig, build_reward
from rl_info.skills import SkillSpec

RESULTS = Path(__file__).parent / "results" / "update_speed.json"
OBS, ACTION, BATCH, STORED = 17, 6, 256, 10_000
MATRIX = 1024


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 7
    """Interleaved repeats; the median counts."""
    hidden: tuple[int, ...] = (256, 1024)
    """Widths of the hidden layers."""
    threads: tuple[int, ...] = (1, 2)
    """Numbers of threads to try."""
    seconds: float = 0.5
    """Wall seconds that a contender is timed for in each repeat, about."""
    output: Path = RESULTS
    """Where the figures go, as JSON."""


@dataclass(frozen=True)
class Contender:
    """Something that makes updates."""

    name: str
    precision: Precision
    critics: int
    """Rewards with a critic ensemble each."""
    update: Callable[[int], None]
    """Makes so many updates."""


@dataclass(frozen=True)
class Row:
    """What came out for one contender."""

    hidden: int
    threads: int
    contender: str
    updates_per_second: float
    over_stable_baselines3: float
    """Speed over that of stable-baselines3 in float32."""
    gflop_per_update: float
    floor_updates_per_second: float
    """Updates per second if only the matrix products took time."""
    of_floor: float


def gflop_per_update(hidden: int, critics: int) -> float:
    """Arithmetic of the matrix products of one update with a shared trunk, in GFLOP.

    Forward passes: actor at s and s', target critics and critics at s, critics at the actor's
    actions. Backward passes: weights and inputs of critics and actor (no input of the first
    layer), inputs alone where the actor's gradient passes the critics.
    """
    state_action = OBS + ACTION
    actor_first, actor_rest = OBS * hidden, hidden * hidden + hidden * 2 * ACTION
    critic_first, critic_rest = state_action * hidden, hidden * hidden + hidden * critics
    actor = actor_first + actor_rest
    critic = 2 * (critic_first + critic_rest)
    multiply_adds = (
        2 * actor  # forward at s and s'
        + 3 * critic  # forward of targets, critics, critics for the actor
        + critic + 2 * critic_rest  # backward of the critics
        + critic  # backward through the critics to the action
        + actor + actor_rest  # backward of the actor
    )  # fmt: skip
    return 2.0 * BATCH * multiply_adds / 1e9


def ours(name: str, hidden: int, precision: Precision, critics: int, layer_norm: bool) -> Contender:
    """This repository's learner with `critics` task rewards, fed by its replay."""
    context = RewardContext(OBS, ACTION, SkillSpec())
    rewards = {
        f"task{index}": RewardTerm(
            build_reward("task", context, TaskConfig(), torch.Generator()), TaskConfig()
        )
        for index in range(critics)
    }
    config = SACConfig(hidden_dim=hidden, precision=precision, layer_norm=layer_norm)
    learner = MultiCriticSAC(OBS, ACTION, SkillSpec(), rewards, config)
    replay = filled_replay()
    generator = torch.Generator().manual_seed(0)

    def update(count: int) -> None:
        for _ in range(count):
            learner.update(replay.sample(BATCH, generator))

    return Contender(name, precision, critics, update)


def filled_replay() -> Replay:
    """A replay of random steps."""
    random = np.random.default_rng(0)
    replay = Replay(ReplayLayout(OBS, ACTION), 1, STORED)
    for _ in range(STORED):
        replay.add(
            StepArrays(
                obs=random.normal(size=(1, OBS)).astype(np.float32),
                action=random.uniform(-1, 1, (1, ACTION)).astype(np.float32),
                reward=random.normal(size=1),
                next_obs=random.normal(size=(1, OBS)).astype(np.float32),
                terminated=np.zeros(1, dtype=bool),
                truncated=np.zeros(1, dtype=bool),
                skill=np.zeros((1, 0), dtype=np.float32),
                signals={},
                next_signals={},
            )
        )
    return replay


class Shapes(gymnasium.Env[np.ndarray, np.ndarray]):
    """Spaces alone: nothing is ever stepped."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBS,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION,), np.float32)


def stable_baselines3(hidden: int) -> Contender:
    """The peer with its defaults but the widths."""
    policy = {"net_arch": [hidden, hidden]}
    model = SAC("MlpPolicy", Shapes(), policy_kwargs=policy, buffer_size=STORED, device="cpu")
    model.set_logger(Logger(None, []))
    random = np.random.default_rng(0)
    for _ in range(STORED):
        model.replay_buffer.add(
            random.normal(size=OBS).astype(np.float32),
            random.normal(size=OBS).astype(np.float32),
            random.uniform(-1, 1, ACTION).astype(np.float32),
            random.normal(size=1),
            np.array([False]),
            [{}],
        )

    def update(count: int) -> None:
        model.train(gradient_steps=count, batch_size=BATCH)

    return Contender("stable-baselines3", "float32", 1, update)


def contenders(hidden: int) -> list[Contender]:
    """All that take turns."""
    return [
        stable_baselines3(hidden),
        ours("rl-info", hidden, "float32", 1, False),
        ours("rl-info, layer norm", hidden, "float32", 1, True),
        ours("rl-info, 3 critics", hidden, "float32", 3, False),
        ours("rl-info, bfloat16", hidden, "bfloat16", 1, False),
        ours("rl-info, bfloat16, 3 critics", hidden, "bfloat16", 3, False),
        ours("rl-info, bfloat16, layer norm", hidden, "bfloat16", 1, True),
    ]


def matrix_rate(precision: Precision) -> float:
    """GFLOP/s of a large matrix product right now."""
    dtype = getattr(torch, precision)
    left, right = torch.randn(2, MATRIX, MATRIX).to(dtype)
    out = torch.empty(MATRIX, MATRIX, dtype=dtype)
    torch.mm(left, right, out=out)
    begin, count = time.perf_counter(), 10
    for _ in range(count):
        torch.mm(left, right, out=out)
    return 2.0 * MATRIX**3 * count / (time.perf_counter() - begin) / 1e9


def measure(hidden: int, threads: int, settings: Settings) -> list[Row]:
    """Time all contenders of one width, interleaved."""
    torch.set_num_threads(threads)
    entrants = contenders(hidden)
    counts = []
    for entrant in entrants:
        entrant.update(3)
        begin = time.perf_counter()
        entrant.update(3)
        counts.append(max(2, round(settings.seconds * 3 / (time.perf_counter() - begin))))
    seconds: list[list[float]] = [[] for _ in entrants]
    rates: dict[Precision, list[float]] = {"float32": [], "bfloat16": []}
    for _ in range(settings.repeats):
        for precision, found in rates.items():
            found.append(matrix_rate(precision))
        for entrant, count, times in zip(entrants, counts, seconds, strict=True):
            begin = time.perf_counter()
            entrant.update(count)
            times.append((time.perf_counter() - begin) / count)
    speeds = [1.0 / statistics.median(times) for times in seconds]
    rows = []
    for entrant, speed in zip(entrants, speeds, strict=True):
        work = gflop_per_update(hidden, entrant.critics)
        floor = statistics.median(rates[entrant.precision]) / work
        rows.append(
            Row(hidden, threads, entrant.name, speed, speed / speeds[0], work, floor, speed / floor)
        )
    return rows


def main() -> None:
    """Measure, print a table and write it down."""
    settings = tyro.cli(Settings, description=__doc__)
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    report: dict[str, Any] = {
        "unit": "updates per second of wall time, median of the repeats",
        "shapes": {"obs": OBS, "action": ACTION, "batch": BATCH, "hidden layers": 2},
        "machine": {
            "cpu": names[0].partition(":")[2].strip() if names else platform.processor(),
            "cores": os.cpu_count(),
            "versions": {
                name: importlib.metadata.version(name) for name in ("torch", "stable-baselines3")
            },
        },
        "rows": [],
    }
    print(f"{'hidden':>6}{'threads':>8}  {'contender':<32}{'updates/s':>10}{'over SB3':>9}"
          f"{'floor':>8}{'of floor':>9}")  # fmt: skip
    for hidden in settings.hidden:
        for threads in settings.threads:
            rows = measure(hidden, threads, settings)
            report["rows"] += [asdict(row) for row in rows]
            for row in rows:
                print(
                    f"{row.hidden:>6}{row.threads:>8}  {row.contender:<32}"
                    f"{row.updates_per_second:>10.1f}{row.over_stable_baselines3:>9.2f}"
                    f"{row.floor_updates_per_second:>8.0f}{row.of_floor:>9.2f}"
                )
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {settings.output}")


if __name__ == "__main__":
    main()
