"""What batch size does to contrastive learning with and without the positive in the denominator.

    python benchmarks/objectives_toy.py

Two noisy views of eight hidden variables through a fixed tanh map are encoded by a perceptron
that is trained by NT-Xent (SimCLR), DCL or DCLW on the same samples, with the step size in
proportion to the batch, as is usual for SGD. Measured on fresh samples: how often the other view
of a row is its nearest among 1,000, and the share of the hidden variables' variance that a linear
map of the embedding explains. NT-Xent's gradient vanishes where positives are found easily, that
is in small batches, so it learns less from them; longer steps, ten and a hundred times, narrow
the gap.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm

from rl_info.nn.perceptron import perceptron
from rl_info.objectives import decoupled_contrastive, nt_xent, weighted_decoupled_contrastive

RESULTS = Path(__file__).parent / "results"
HIDDEN_VARIABLES, OBSERVED, EMBEDDING, GALLERY = 8, 64, 16, 1_000
Objective = Callable[[Tensor, Tensor, float], Tensor]
OBJECTIVES: Mapping[str, Objective] = {
    "NT-Xent": nt_xent,
    "DCL": decoupled_contrastive,
    "DCLW": weighted_decoupled_contrastive,
}


@dataclass(frozen=True)
class Settings:
    """Settings of the toy."""

    batches: tuple[int, ...] = (8, 16, 32, 64, 256)
    """Batch sizes."""
    steps_per_row: tuple[float, ...] = (3e-5, 3e-4, 3e-3)
    """Step sizes of SGD (momentum 0.9) for each row of a batch."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds of world, samples and encoder."""
    rows: int = 4_096
    """Samples seen in training, whatever the batch size."""
    temperature: float = 0.1
    """Temperature of all objectives."""
    noise: float = 0.4
    """Deviation of the noise of a view."""
    output: Path = RESULTS
    """Folder of the JSON file and the plot."""


@dataclass(frozen=True)
class Row:
    """What came out for one objective, batch and step size, over seeds."""

    objective: str
    batch: int
    step_per_row: float
    retrieved: float
    """Share of rows whose other view is nearest."""
    retrieved_deviation: float
    explained: float
    """Share of variance of the hidden variables that is linear in the embedding."""


def views(world: Tensor, rows: int, noise: float, generator: torch.Generator) -> list[Tensor]:
    """Hidden variables (rows, 8) and two views (rows, 64)."""
    hidden = torch.randn(rows, HIDDEN_VARIABLES, generator=generator)
    seen = torch.tanh(hidden @ world)
    return [hidden] + [
        seen + noise * torch.randn(rows, OBSERVED, generator=generator) for _ in range(2)
    ]


def train(
    objective: Objective, batch: int, step: float, seed: int, settings: Settings
) -> tuple[float, float]:
    """Share retrieved and share explained after one run."""
    generator = torch.Generator().manual_seed(seed)
    world = torch.randn(HIDDEN_VARIABLES, OBSERVED, generator=generator) / HIDDEN_VARIABLES**0.5
    encoder = perceptron(OBSERVED, 64, 1, EMBEDDING, generator)
    optimiser = torch.optim.SGD(encoder.parameters(), lr=step * batch, momentum=0.9)
    for _ in range(settings.rows // batch):
        _, one, two = views(world, batch, settings.noise, generator)
        loss = objective(encoder(one), encoder(two), settings.temperature)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    hidden, one, two = views(world, GALLERY, settings.noise, generator)
    with torch.no_grad():
        one, two = normalize(encoder(one), dim=-1), normalize(encoder(two), dim=-1)
    found = (one @ two.T).argmax(dim=1) == torch.arange(GALLERY)
    return found.float().mean().item(), explained(one, hidden)


def explained(embedding: Tensor, hidden: Tensor) -> float:
    """R² of a linear map fitted on one half and asked about the other."""
    features = torch.cat([embedding, torch.ones(len(embedding), 1)], dim=1).double()
    half, hidden = len(features) // 2, hidden.double()
    weights = torch.linalg.lstsq(features[:half], hidden[:half]).solution
    error = (features[half:] @ weights - hidden[half:]).square().mean()
    return (1 - error / hidden[half:].var(dim=0).mean()).item()


def compare(settings: Settings) -> list[Row]:
    """Every objective at every batch and step size."""
    grid = [(n, b, s) for s in settings.steps_per_row for b in settings.batches for n in OBJECTIVES]
    rows = []
    for name, batch, step in tqdm(grid, unit="setting"):
        runs = [train(OBJECTIVES[name], batch, step, seed, settings) for seed in settings.seeds]
        (retrieved, linear), (deviation, _) = np.mean(runs, axis=0), np.std(runs, axis=0)
        rows.append(Row(name, batch, step, float(retrieved), float(deviation), float(linear)))
    return rows


def plot(rows: list[Row]) -> Figure:
    """Share retrieved by batch size, a panel for each step size."""
    steps = list(dict.fromkeys(row.step_per_row for row in rows))
    figure = Figure(figsize=(5 * len(steps), 4))
    for axes, step in zip(figure.subplots(1, len(steps), squeeze=False)[0], steps, strict=True):
        for name in OBJECTIVES:
            own = [r for r in rows if r.step_per_row == step and r.objective == name]
            values, spread = zip(*((r.retrieved, r.retrieved_deviation) for r in own), strict=True)
            axes.errorbar([r.batch for r in own], values, spread, marker="o", label=name)
        axes.set(xscale="log", xlabel="batch size", ylabel="other view is nearest of 1,000",
                 title=f"SGD step = {step:g} × batch")  # fmt: skip
        axes.legend()
    figure.tight_layout()
    return figure


def main() -> None:
    """Compare, write and draw."""
    settings = tyro.cli(Settings, description=__doc__)
    torch.set_num_threads(1)
    rows = compare(settings)
    settings.output.mkdir(parents=True, exist_ok=True)
    figures = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "settings": {**asdict(settings), "output": None},
        "rows": [asdict(row) for row in rows],
    }
    (settings.output / "objectives_toy.json").write_text(json.dumps(figures, indent=1) + "\n")
    plot(rows).savefig(settings.output / "objectives_toy.png", dpi=110)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
