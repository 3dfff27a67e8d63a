"""The loop that fits a network to paired samples, with early stopping on some of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Progress

Losses = Callable[[Tensor, Tensor], Mapping[str, Tensor]]
"""Named scalar losses of minibatches (B, X) and (B, Y), whose sum is minimised."""


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is fitted."""

    steps: int
    """Most optimiser steps."""
    batch_size: int
    """Pairs in each step."""
    learning_rate: float
    """Adam's step size at the start; it falls to zero along half a cosine."""
    weight_decay: float
    """Decoupled weight decay."""
    check_every: int
    """Steps between two looks at the validation pairs."""
    patience: int
    """Looks without a new best after which training stops."""

    def __post_init__(self) -> None:
        for name in ("steps", "check_every", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2 pairs, got {self.batch_size}")
        if not self.learning_rate > 0 or self.weight_decay < 0:
            raise ValueError(
                "learning_rate must be positive and weight_decay not negative, "
                f"got {self.learning_rate} and {self.weight_decay}"
            )


@dataclass(frozen=True)
class Fitted:
    """What a fit came to."""

    best: float
    """Score of the state that was kept, on the validation pairs."""
    best_step: int
    """Step after which that state was found; 0: the untrained one."""
    steps: int
    """Steps that were taken."""


def fit_network(
    network: nn.Module,
    losses: Losses,
    score: Callable[[], float],
    x: Float[Tensor, "N X"],
    y: Float[Tensor, "N Y"],
    settings: TrainingSettings,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> Fitted:
    """Minimise `losses` over minibatches; leave `network` in the state of the highest `score`.

    `score` looks at validation pairs, which must not be among `x` and `y`, and is asked before the
    first step, every `check_every` steps and after the last. A score that is not finite never
    counts as best. Minibatches are drawn from `generator` (on the CPU) without replacement.
    `progress` is told of every step.
    Raises FloatingPointError, naming the term, if a loss is not finite.
    """
    parameters = [value for value in network.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=settings.steps)
    batches = minibatches(x.shape[0], settings.batch_size, generator)
    best, best_step, state = _finite(score()), 0, deepcopy(network.state_dict())
    looks_without_best = 0
    for step in range(1, settings.steps + 1):
        rows = next(batches).to(x.device)
        _step(optimiser, losses(x[rows], y[rows]), step)
        rate.step()
        if progress is not None:
            progress(step, settings.steps)
        if step % settings.check_every and step < settings.steps:
            continue
        found = _finite(score())
        looks_without_best += 1
        if found > best:
            best, best_step, state = found, step, deepcopy(network.state_dict())
            looks_without_best = 0
        if looks_without_best == settings.patience:
            break
    network.load_state_dict(state)
    return Fitted(best, best_step, step)


def minibatches(
    samples: int, batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Rows of endless minibatches; all rows once in random order, then again in another.

    Rows left over at the end of a pass wait for the next. With fewer samples than a minibatch,
    every minibatch is all of them.
    """
    size = min(batch_size, samples)
    while True:
        order = torch.randperm(samples, generator=generator)
        yield from order[: samples - samples % size].split(size)


def _step(optimiser: torch.optim.Optimizer, losses: Mapping[str, Tensor], step: int) -> None:
    for name, value in losses.items():
        if not torch.isfinite(value):
            raise FloatingPointError(
                f"the loss {name!r} is {value.item()} in step {step}: lower learning_rate, or use "
                "an estimator that does not exponentiate scores (InfoNCE, JSD)"
            )
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    optimiser.step()


def _finite(score: float) -> float:
    return score if math.isfinite(score) else -math.inf
