"""Time of a critic update with K rewards: one stack against K separate ensembles of modules.

    python benchmarks/critic_stack.py

An update is the forward pass, the gradient of half the mean squared error, an Adam step and the
moving average of the target network, for K rewards with an ensemble of two critics each, two
hidden layers with rectifiers, batches of 256 and inputs of width 24. The stack is the critics of
multi-critic SAC: with a shared trunk, its default, where a further reward costs a row of the
output layer and no more, and with a network of its own for each critic, which is the same
arithmetic as that of its contender and shows what the stack alone gains.
The contender is K times two plain `nn.Sequential` networks of the same widths, with one fused
Adam and one `torch._foreach_lerp_` for each reward. What rewards and targets cost is left out.

All contenders take turns in every repeat; figures are medians, and the speed-up is the median of
the ratios within a repeat, so that a change of the machine's speed meets both alike.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import tyro
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor, nn

from agents.learners.config import SACConfig
from agents.learners.critics import CriticStack
from agents.learners.network_config import CriticSharing
from rl_info.nn import FlatAdam

RESULTS = Path(__file__).parent / "results" / "critic_stack.json"
STATE, ACTION, BATCH, ENSEMBLE = 18, 6, 256, 2
RATE, TAU = 3e-4, 0.005
SEPARATE = "separate modules"
STACKS: dict[str, CriticSharing] = {"stack, shared trunk": "trunk", "stack, no sharing": "none"}
COLOURS = {"stack, shared trunk": "#3b6fb6", "stack, no sharing": "#d9822b"}

Update = Callable[[], None]


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark."""

    repeats: int = 15
    """Interleaved repeats; the median counts."""
    hidden: tuple[int, ...] = (256, 1024)
    """Widths of the hidden layers."""
    rewards: tuple[int, ...] = (1, 2, 3, 4)
    """Numbers K of rewards."""
    threads: int = 1
    """Threads that torch computes with."""
    seconds: float = 0.2
    """Wall seconds that a contender is timed for in each repeat, about."""
    shared_machine: bool = False
    """Note in the results that other programs ran meanwhile."""
    output: Path = RESULTS
    """Where the figures go, as JSON, with a picture beside it."""


@dataclass(frozen=True)
class Row:
    """What came out for one contender."""

    hidden: int
    rewards: int
    contender: str
    milliseconds: float
    """Of an update, the median."""
    speed_up: float
    """Over separate modules, the median of the ratios of the repeats."""
    speed_up_middle_half: tuple[float, float]
    """Quartiles of those ratios."""


@dataclass(frozen=True)
class Batch:
    """What every contender learns from."""

    state: Tensor
    action: Tensor
    target: Tensor
    """(K, B)."""


def stack(hidden: int, rewards: int, sharing: CriticSharing, batch: Batch) -> Update:
    """The critics of multi-critic SAC."""
    config = replace(SACConfig(), hidden_dim=hidden, layer_norm=False, critic_sharing=sharing)
    sizes = (STATE, ACTION, rewards, ENSEMBLE)
    critics = CriticStack(*sizes, config, torch.Generator().manual_seed(0))
    target_net = critics.net.flat.detach().clone()
    optimiser = FlatAdam(critics.net.flat, RATE)

    def update() -> None:
        with torch.inference_mode():
            current = critics.run(batch.state, batch.action)
            error = (current.outputs - batch.target).div_(BATCH)
            optimiser.step(critics.gradient(current, error), target_net, TAU)

    return update


def perceptron(hidden: int) -> nn.Sequential:
    """Q(s, a)."""
    return nn.Sequential(
        nn.Linear(STATE + ACTION, hidden), nn.ReLU(),
        nn.Linear(hidden, hidden), nn.ReLU(),
        nn.Linear(hidden, 1),
    )  # fmt: skip


def separate(hidden: int, rewards: int, batch: Batch) -> Update:
    """For each reward two networks, an Adam and two target networks of its own."""
    learners = []
    for index in range(rewards):
        members = nn.ModuleList(perceptron(hidden) for _ in range(ENSEMBLE))
        parameters: list[Tensor] = list(members.parameters())
        targets = [parameter.detach().clone() for parameter in parameters]
        optimiser = torch.optim.Adam(parameters, lr=RATE, fused=True)
        learners.append((members, parameters, targets, optimiser, batch.target[index]))

    def update() -> None:
        inputs = torch.cat([batch.state, batch.action], dim=-1)
        for members, parameters, targets, optimiser, target in learners:
            values = torch.stack([member(inputs)[:, 0] for member in members])
            loss = 0.5 * (values - target).square().mean(dim=1).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                torch._foreach_lerp_(targets, parameters, TAU)

    return update


def measure(hidden: int, rewards: int, settings: Settings) -> list[Row]:
    """Time all contenders of one width and number of rewards, interleaved."""
    random = torch.Generator().manual_seed(0)
    batch = Batch(
        torch.randn(BATCH, STATE, generator=random),
        torch.rand(BATCH, ACTION, generator=random) * 2 - 1,
        torch.randn(rewards, BATCH, generator=random),
    )
    updates = {SEPARATE: separate(hidden, rewards, batch)} | {
        name: stack(hidden, rewards, sharing, batch) for name, sharing in STACKS.items()
    }
    counts = {}
    for name, update in updates.items():
        seconds_of(update, 3)
        counts[name] = max(2, round(settings.seconds / seconds_of(update, 3)))
    found: dict[str, list[float]] = {name: [] for name in updates}
    for _ in range(settings.repeats):
        for name, update in updates.items():
            found[name].append(seconds_of(update, counts[name]))
    rows = []
    for name, times in found.items():
        ratios = [slow / fast for slow, fast in zip(found[SEPARATE], times, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rows.append(Row(hidden, rewards, name, 1e3 * statistics.median(times), middle, (low, high)))
    return rows


def seconds_of(update: Update, count: int) -> float:
    """Wall seconds of one of `count` updates."""
    begin = time.perf_counter()
    for _ in range(count):
        update()
    return (time.perf_counter() - begin) / count


def draw(rows: list[Row], note: str) -> Figure:
    """Speed-up against K, one panel for each width."""
    widths = sorted({row.hidden for row in rows})
    figure = Figure(figsize=(3.6 * len(widths), 3.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"critic updates of K rewards: stack over separate modules\n{note}", fontsize=9)
    panels = figure.subplots(1, len(widths), sharey=True, squeeze=False)[0]
    for axes, width in zip(panels, widths, strict=True):
        for name, colour in COLOURS.items():
            here = [row for row in rows if (row.hidden, row.contender) == (width, name)]
            numbers = [row.rewards for row in here]
            low, high = zip(*(row.speed_up_middle_half for row in here), strict=True)
            axes.fill_between(numbers, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(numbers, [row.speed_up for row in here], "o-", color=colour, label=name)
        axes.axhline(1.0, color="#8d949b", linewidth=0.8)
        axes.set(title=f"hidden {width}", xlabel="rewards K", ylim=(0, None))
        axes.set_xticks(sorted({row.rewards for row in rows}))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#d0d4d8", linewidth=0.4)
    panels[0].set_ylabel("speed-up (band: quartiles)")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def main() -> None:
    """Measure, print a table, write it down and draw it."""
    settings = tyro.cli(Settings, description=__doc__)
    torch.set_num_threads(settings.threads)
    rows: list[Row] = []
    print(f"{'hidden':>6}{'K':>3}  {'contender':<22}{'ms/update':>10}{'speed-up':>9}")
    for hidden in settings.hidden:
        for rewards in settings.rewards:
            for row in measure(hidden, rewards, settings):
                rows.append(row)
                print(
                    f"{row.hidden:>6}{row.rewards:>3}  {row.contender:<22}"
                    f"{row.milliseconds:>10.3f}{row.speed_up:>9.2f}",
                    flush=True,
                )
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    report: dict[str, Any] = {
        "unit": "milliseconds of wall time of an update; medians of interleaved repeats",
        "shapes": {"inputs": STATE + ACTION, "batch": BATCH, "ensemble": ENSEMBLE, "layers": 2},
        "machine": {
            "cpu": cpu[0].partition(":")[2].strip() if cpu else "unknown",
            "cores": os.cpu_count(),
            "threads": settings.threads,
            "shared with other programs meanwhile": settings.shared_machine,
            "load average": os.getloadavg(),
            "torch": importlib.metadata.version("torch"),
        },
        "repeats": settings.repeats,
        "rows": [asdict(row) for row in rows],
    }
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text(json.dumps(report, indent=1) + "\n")
    note = "a shared machine" if settings.shared_machine else "nothing else running"
    picture = settings.output.with_suffix(".png")
    draw(rows, f"torch on {settings.threads} of {os.cpu_count()} cores, {note}").savefig(picture)
    print(f"written to {settings.output} and {picture}")


if __name__ == "__main__":
    main()
