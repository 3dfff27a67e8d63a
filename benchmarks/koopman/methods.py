"""What is compared: Koopman dynamics, their ablations, least squares on observations, chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import torch
from torch import Tensor

from benchmarks.koopman.data import Recording
from rl_info.dynamics import SIZES, ObservationSpec, SequenceBatch
from rl_info.dynamics.koopman import (
    KoopmanConfig,
    KoopmanDynamics,
    LatentRegulator,
    RegulatorConfig,
    build_koopman,
    fit_operators,
)

Control = Callable[[Tensor], Tensor]
"""From observations (N, ...) to actions (N, A) in [-1, 1]."""
REGULATOR = RegulatorConfig(state_cost=50.0, action_cost=1.0, horizon=40)
FULL = KoopmanConfig(
    latent_dim=12, information_weight=0.01, entropy_weight=0.001, reconstruction_weight=1.0,
    neighbours=1, prediction_steps=3,
)  # fmt: skip
LEARNED: Mapping[str, KoopmanConfig] = MappingProxyType(
    {
        "information koopman": FULL,
        "without information and entropy": replace(
            FULL, information_weight=0.0, entropy_weight=0.0
        ),
    }
)
"""Learned dynamics by name."""
BATCH, LEARNING_RATE, WARM_UP = 32, 2e-3, 100


def train(
    recording: Recording, config: KoopmanConfig, updates: int, seed: int
) -> tuple[KoopmanDynamics, dict[str, float]]:
    """Dynamics of a recording, and the metrics of the last update."""
    random = torch.Generator().manual_seed(seed)
    spec = ObservationSpec(tuple(recording.obs.shape[2:]))
    actions = recording.action.shape[-1]
    model = build_koopman(spec, actions, config, SIZES["tiny"], random)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(learned, LEARNING_RATE, fused=True)
    count, steps = recording.obs.shape[:2]
    first = torch.zeros(BATCH, steps, dtype=torch.bool)
    first[:, 0] = True
    none = torch.zeros(BATCH, steps)
    for update in range(updates):
        decayed = LEARNING_RATE * (1 - update / updates) ** 0.5
        optimiser.param_groups[0]["lr"] = decayed * min(1.0, (update + 1) / WARM_UP)
        rows = torch.randint(count, (BATCH,), generator=random)
        batch = SequenceBatch(
            recording.obs[rows], recording.action[rows], none, torch.zeros_like(first), first
        )
        losses, metrics = model.loss(batch)
        optimiser.zero_grad()
        model.total(losses).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
    metrics |= model.diagnostics(batch)
    return model, {name: value.item() for name, value in metrics.items()}


@torch.no_grad()
def regulated(model: KoopmanDynamics, recording: Recording, goal: Tensor) -> Control:
    """LQR in the latents of `model` to the goal's latent."""
    z = torch.cat([model.encode(part).flatten(0, 1) for part in recording.obs.split(64)])
    variance = z.var(dim=0).mean().item()
    regulator = LatentRegulator(model.operators, model.encode(goal)[0], REGULATOR, variance)

    @torch.no_grad()
    def act(obs: Tensor) -> Tensor:
        return regulator(model.encode(obs))

    return act


def least_squares(recording: Recording, goal: Tensor, components: int = 12) -> Control:
    """Dynamic mode decomposition with control, and LQR: of states, or of principal components."""
    flat = recording.obs.float().flatten(2)
    mean, basis = flat.mean(dim=(0, 1)), torch.eye(flat.shape[-1])
    if flat.shape[-1] > components:
        rows = (flat - mean).flatten(0, 1)
        kept = torch.linspace(0, len(rows) - 1, min(1000, len(rows))).long()
        basis = torch.linalg.svd(rows[kept], full_matrices=False)[2][:components].T

    def encode(obs: Tensor) -> Tensor:
        return (obs.float().flatten(1) - mean) @ basis

    z = encode(recording.obs.flatten(0, 1)).view(*flat.shape[:2], -1)
    operators = fit_operators(
        z[:, :-1].flatten(0, 1), recording.action[:, 1:].flatten(0, 1), z[:, 1:].flatten(0, 1)
    )
    variance = z.flatten(0, 1).var(dim=0).mean().item()
    regulator = LatentRegulator(operators, encode(goal)[0], REGULATOR, variance)
    return lambda obs: regulator(encode(obs))


def chance(seed: int) -> Control:
    """Uniform random actions."""
    random = torch.Generator().manual_seed(seed)
    return lambda obs: torch.rand(len(obs), 1, generator=random) * 2 - 1
