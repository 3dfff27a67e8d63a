"""Small world models and batches that tests share."""

from __future__ import annotations

from typing import Any

import torch

from rl_info.dynamics import (
    RSSM,
    ObservationSpec,
    SequenceBatch,
    WorldModel,
    WorldModelConfig,
    WorldModelSize,
)
from rl_info.dynamics.heads import TwoHotHead

SMALL = WorldModelSize(deter=16, hidden=6, stoch=3, classes=4, depth=2, units=4, blocks=2)
OBS, ACTION, EMBED = 5, 2, 5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_rssm() -> RSSM:
    return RSSM(SMALL, EMBED, ACTION, seeded()).double()


def world_model(representation: str, objective: Any = None, **settings: Any) -> WorldModel:
    config = WorldModelConfig(representation=representation, objective=objective, **settings)
    model = WorldModel(ObservationSpec((OBS,)), ACTION, config, seeded())
    for module in model.modules():
        if isinstance(module, TwoHotHead):
            # They start at zero, where nothing would flow back through them.
            output = module.net[-1].weight
            output.data.normal_(std=0.1, generator=seeded(1))
    return model


def vector_batch(rows: int, steps: int, seed: int = 0) -> SequenceBatch:
    generator = seeded(seed)
    is_first = torch.zeros(rows, steps, dtype=torch.bool)
    is_first[:, 0] = True
    return SequenceBatch(
        obs=torch.randn(rows, steps, OBS, generator=generator),
        action=torch.rand(rows, steps, ACTION, generator=generator) * 2 - 1,
        reward=torch.randn(rows, steps, generator=generator),
        terminated=torch.zeros(rows, steps, dtype=torch.bool),
        is_first=is_first,
    )
