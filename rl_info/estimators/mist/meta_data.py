"""Sets of samples with the information they were drawn with: what MIST learns from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.mist.families import EVERY, TRAINING
from rl_info.estimators.mist.rows import prepare


@dataclass(frozen=True)
class MetaConfig:
    """What sets are drawn."""

    families: tuple[str, ...] = TRAINING
    """Names of `families.EVERY` to draw from, with equal probability."""
    samples: tuple[int, int] = (10, 500)
    """Fewest and most rows of a set."""
    dims: tuple[int, int] = (1, 32)
    """Fewest and most dimensions of X, and of Y (the paper: from 2)."""
    same_dims: float = 0.5
    """Share of sets whose X and Y have equally many dimensions (the paper: all)."""
    logarithmic: float = 0.5
    """Share of draws of rows and of dimensions that are uniform on a logarithmic scale, so that
    small sets are met more often (the paper: none)."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.families) - set(EVERY))
        if unknown or not self.families:
            raise ValueError(f"unknown families {unknown}; there are {', '.join(EVERY)}")
        for name, (low, high) in (("samples", self.samples), ("dims", self.dims)):
            if not 1 <= low <= high:
                raise ValueError(f"{name} must be an increasing pair from 1 on, got {low}, {high}")


@dataclass(frozen=True)
class MetaBatch:
    """B prepared sets of N rows each."""

    rows: Float[Tensor, "B N C"]
    """Prepared rows."""
    context: Float[Tensor, "B K"]
    """Their summaries."""
    information: Float[Tensor, B]
    """The truths, in nats."""


@dataclass(frozen=True)
class MetaSet:
    """One set as it was drawn."""

    x: Float[Tensor, "N X"]
    """Samples of X."""
    y: Float[Tensor, "N Y"]
    """Samples of Y, row by row with those of X."""
    information: float
    """The truth, in nats."""
    family: str
    """Name of the family."""


def draw_size(bounds: tuple[int, int], logarithmic: float, random: np.random.Generator) -> int:
    """A whole number within `bounds`, inclusive."""
    low, high = bounds
    if random.random() < logarithmic:
        return min(high, int(math.exp(random.uniform(math.log(low), math.log(high + 1)))))
    return int(random.integers(low, high + 1))


def draw_set(config: MetaConfig, samples: int, random: np.random.Generator) -> MetaSet:
    """One set of `samples` rows from a random family of random dimensions."""
    family = config.families[int(random.integers(len(config.families)))]
    x_dims = draw_size(config.dims, config.logarithmic, random)
    y_dims = x_dims
    if random.random() >= config.same_dims:
        y_dims = draw_size(config.dims, config.logarithmic, random)
    distribution = EVERY[family](x_dims, y_dims, random)
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    x, y = distribution.sample(samples, generator)
    return MetaSet(x, y, distribution.information, family)


def as_batch(sets: Sequence[MetaSet]) -> MetaBatch:
    """Sets of equally many rows, prepared."""
    prepared = [prepare(each.x, each.y) for each in sets]
    return MetaBatch(
        torch.stack([rows for rows, _ in prepared]),
        torch.stack([context for _, context in prepared]),
        torch.tensor([each.information for each in sets], dtype=torch.float32),
    )


def draw_batch(config: MetaConfig, sets: int, seed: Sequence[int]) -> MetaBatch:
    """`sets` sets of one number of rows, the same for the same seed."""
    random = np.random.default_rng(list(seed))
    samples = draw_size(config.samples, config.logarithmic, random)
    return as_batch([draw_set(config, samples, random) for _ in range(sets)])
