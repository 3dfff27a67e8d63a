"""How MIST is trained: the paper's sizes and those of the weights that are shipped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rl_info.estimators.mist.meta_data import MetaConfig
from rl_info.estimators.mist.model import ModelConfig


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training; the defaults are the paper's."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """Sizes of the network."""
    meta: MetaConfig = field(default_factory=MetaConfig)
    """What is drawn."""
    steps: int = 73_000
    """Optimiser steps: 30 epochs of 625,000 sets; here no set is met twice."""
    sets: int = 256
    """Sets per step."""
    groups: int = 4
    """Numbers of rows per step: sets of one group have equally many, so that none is padded."""
    levels: int = 8
    """Random levels per set and step."""
    learning_rate: float = 1.127e-4
    """Of AdamW, after `warm_up` steps and before it falls to zero along a cosine."""
    weight_decay: float = 8.65e-6
    """Of AdamW."""
    warm_up: int = 500
    """Steps during which the learning rate rises."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    bfloat16: bool = True
    """Compute rows and attention in bfloat16; the head, the loss and the weights stay float32."""
    seed: int = 0
    """Of weights and meta-data."""

    def __post_init__(self) -> None:
        if self.sets % self.groups:
            raise ValueError(f"{self.sets} sets cannot be split into {self.groups} equal groups")


FULL = TrainConfig()
SMALL = TrainConfig(
    model=ModelConfig(
        row_hidden=192,
        width=96,
        heads=4,
        feed_forward=192,
        self_attention_blocks=0,
        induced_blocks=1,
        inducing_points=16,
        seeds=4,
    ),
    steps=1150,
    sets=64,
    groups=2,
    learning_rate=1e-3,
    warm_up=100,
)
PRESETS: Mapping[str, TrainConfig] = MappingProxyType({"full": FULL, "small": SMALL})
"""The paper's sizes, for a GPU, and those of the shipped weights, for one core."""


def learning_rate(config: TrainConfig, step: int) -> float:
    """Rises linearly during `warm_up`, then falls to zero along a cosine."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
