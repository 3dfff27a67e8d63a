"""Train MIST on meta-data drawn as it goes: `python -m rl_info.estimators.mist.train --help`.

An interrupted training continues from its last checkpoint. Every batch follows from the seed and
the step alone, so that a continued training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from rl_info.estimators.mist.losses import pinball_loss, squared_error, to_scale
from rl_info.estimators.mist.meta_data import MetaBatch, draw_batch
from rl_info.estimators.mist.model import MISTModel
from rl_info.estimators.mist.presets import PRESETS, TrainConfig, learning_rate
from rl_info.estimators.mist.weights import save_uncalibrated

log = logging.getLogger(__name__)

Progress = Callable[[int, float], None]
"""Called with the step and the loss averaged since the last call."""


class MetaBatches(Dataset[MetaBatch]):
    """The batches of a training by index; each follows from the seed and its index alone."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def __getitem__(self, index: int) -> MetaBatch:
        config = self.config
        step, group = divmod(index, config.groups)
        return draw_batch(config.meta, config.sets // config.groups, (config.seed, step, group))


class Training:
    """A training that can be saved and continued."""

    def __init__(self, config: TrainConfig, device: torch.device | str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = MISTModel(config.model).to(self.device)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.step = 0

    def batches(self, workers: int = 0) -> Iterator[MetaBatch]:
        """Batches from the present step to the last, drawn ahead by `workers` processes."""
        config = self.config
        rest = range(self.step * config.groups, config.steps * config.groups)
        loader = DataLoader(MetaBatches(config), batch_size=None, sampler=rest, num_workers=workers)
        return iter(loader)

    def update(self, batches: Iterator[MetaBatch]) -> float:
        """One optimiser step on the next batches; returns the loss."""
        config = self.config
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = learning_rate(config, self.step)
        self.optimiser.zero_grad()
        total = 0.0
        for group in range(config.groups):
            generator = torch.Generator().manual_seed(hash((config.seed, self.step, group)) % 2**63)
            loss = self.loss(next(batches), generator) / config.groups
            loss.backward()
            total += loss.item()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient is {norm} at step {self.step}")
        self.optimiser.step()
        self.step += 1
        return total

    def loss(self, batch: MetaBatch, generator: torch.Generator) -> Float[Tensor, ""]:
        """Loss on a batch, with levels drawn from U(0, 1)."""
        config = self.config
        levels = torch.rand(len(batch.rows), config.levels, generator=generator)
        levels = levels.clamp(1e-3, 1 - 1e-3).to(self.device)
        context, truth = batch.context.to(self.device), batch.information.to(self.device)
        kind = self.device.type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=config.bfloat16):
            embedded = self.model.embed(batch.rows.to(self.device))
        prediction = self.model.read(embedded.float(), context, levels)
        if config.model.target == "mean":
            return squared_error(prediction, truth)
        return pinball_loss(prediction, to_scale(truth), levels)

    def save(self, path: Path) -> None:
        """Write everything a continued training needs, or nothing."""
        content: dict[str, Any] = {
            "config": asdict(self.config),
            "step": self.step,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        partial = path.with_suffix(".partial")
        torch.save(content, partial)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint; only `steps` may have changed.

        Raises ValueError if it was written with other settings.
        """
        content = torch.load(path, map_location=self.device, weights_only=True)
        if content["config"] | {"steps": self.config.steps} != asdict(self.config):
            raise ValueError(f"{path} was written with other settings; give it another folder")
        self.model.load_state_dict(content["model"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.step = content["step"]


def train(
    config: TrainConfig,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    every: int = 100,
    workers: int = 0,
    progress: Progress | None = None,
) -> MISTModel:
    """Train, or continue in `folder`, which ends up with `mist.safetensors` and its hash.

    `workers` processes draw sets ahead, which changes nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "training.pt"
    training = Training(config, device)
    if checkpoint.exists():
        training.load(checkpoint)
    losses: list[float] = []
    batches = training.batches(workers)
    while training.step < config.steps:
        losses.append(training.update(batches))
        if training.step % every == 0 or training.step == config.steps:
            training.save(checkpoint)
            save_uncalibrated(training.model, folder / "mist.safetensors")
            if progress is not None:
                progress(training.step, sum(losses) / len(losses))
            losses.clear()
    return training.model


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Train MIST.")
    parser.add_argument("--preset", choices=list(PRESETS), default="full")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoint and weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, help="optimiser steps, instead of the preset's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw sets ahead")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = replace(PRESETS[arguments.preset], seed=arguments.seed)
    if arguments.steps is not None:
        config = replace(config, steps=arguments.steps)
    start = time.monotonic()

    def report(step: int, loss: float) -> None:
        log.info(
            "step %d of %d, loss %.4f, %.0f s", step, config.steps, loss, time.monotonic() - start
        )

    train(
        config,
        arguments.folder,
        device=arguments.device,
        every=arguments.every,
        workers=arguments.workers,
        progress=report,
    )


if __name__ == "__main__":
    main()
