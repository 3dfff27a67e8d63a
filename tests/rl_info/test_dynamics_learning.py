"""Does a world model learn a point that actions move, and forget noise that they do not?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from world_models import ACTION, seeded

from rl_info.dynamics import (
    ObservationSpec,
    SequenceBatch,
    WorldModel,
    WorldModelConfig,
    WorldModelSize,
    world_model_diagnostics,
)
from rl_info.dynamics.representation.infopower import InfoPowerConfig
from rl_info.nn.laprop import LaProp

ROWS, STEPS, STEP_SIZE, UPDATES = 16, 12, 0.3, 300
SIZE = WorldModelSize(deter=64, hidden=32, stoch=8, classes=8, depth=2, units=32)


def moving_point(generator: torch.Generator, rows: int = ROWS) -> SequenceBatch:
    """A point in [-1, 1]² moved by actions, beside two numbers of noise fresh at every step."""
    action = torch.rand(rows, STEPS, ACTION, generator=generator) * 2 - 1
    place = torch.rand(rows, ACTION, generator=generator) * 2 - 1
    places = []
    for t in range(STEPS):
        if t > 0:
            place = (place + STEP_SIZE * action[:, t]).clamp(-1, 1)
        places.append(place)
    position = torch.stack(places, dim=1)
    noise = torch.rand(rows, STEPS, 2, generator=generator) * 2 - 1
    is_first = torch.zeros(rows, STEPS, dtype=torch.bool)
    is_first[:, 0] = True
    return SequenceBatch(
        obs=torch.cat([position, noise], dim=-1),
        action=action,
        reward=position[..., 0] * ~is_first,
        terminated=torch.zeros_like(is_first),
        is_first=is_first,
    )


def explained(feature: Tensor, target: Tensor) -> Tensor:
    """R² of a ridge regression, fitted on one half of the rows and judged on the other."""
    half = feature.shape[0] // 2
    inputs = torch.cat([feature, torch.ones(feature.shape[0], 1)], dim=1).double()
    target = target.double()
    gram = inputs[:half].T @ inputs[:half] + 1.0 * torch.eye(inputs.shape[1])
    weights = torch.linalg.solve(gram, inputs[:half].T @ target[:half])
    error = (inputs[half:] @ weights - target[half:]).square().mean(0)
    return 1 - error / target[half:].var(0)


@pytest.mark.slow
def test_latents_keep_what_actions_move() -> None:
    generator = seeded()
    # A heavy multiplier makes the latents pay for what is neither foreseeable nor controlled.
    objective = InfoPowerConfig(initial_multiplier=10.0, multiplier_rate=0.0)
    config = WorldModelConfig(representation="infopower", objective=objective)
    model = WorldModel(ObservationSpec((4,)), ACTION, config, generator, SIZE)
    optimiser = LaProp(model.parameters(), learning_rate=3e-3, warm_up=10)
    unseen = moving_point(seeded(1), rows=64)
    for _ in range(UPDATES):
        losses, metrics, _ = model.loss(moving_point(generator), generator=generator)
        model.total(losses).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        model.after_update(metrics)
    after = world_model_diagnostics(model, unseen, 4, generator=seeded(2))
    with torch.no_grad():
        latent = model.observe(unseen, generator=seeded(2)).posterior
    found = explained(latent.flat_stoch.flatten(0, 1), unseen.obs.flatten(0, 1))
    assert after["open_loop_share"] < 0.6, after
    assert found[:2].min() > 0.35, found
    assert found[2:].max() < 0.2, found
