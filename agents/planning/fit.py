"""Learning skill dynamics, and how far off they are on episodes kept apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from agents.planning.aim import PlanningState
from agents.planning.skill_dynamics import DynamicsShape, SkillDynamics
from agents.planning.skill_segments import SkillSegments


@dataclass(frozen=True)
class FitConfig:
    """How skill dynamics are learned. Raises ValueError naming a setting that is out of range."""

    members: int = 5
    """Networks of the ensemble."""
    hidden_dim: int = 256
    """Units of each hidden layer."""
    hidden_layers: int = 2
    """Hidden layers."""
    gradient_steps: int = 3_000
    """Steps of Adam."""
    batch_size: int = 256
    """Segments in a batch, drawn for each member apart."""
    learning_rate: float = 1e-3
    """Of Adam at the start; it falls to 0 along a half cosine."""
    held_out: float = 0.1
    """Share of the episodes that errors are measured on."""

    def __post_init__(self) -> None:
        for name in ("members", "hidden_dim", "hidden_layers", "gradient_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must lie between 0 and 1, got {self.held_out}")


def fit_dynamics(
    data: SkillSegments,
    skill_steps: int,
    config: FitConfig,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
    on_steps: Callable[[int], object] | None = None,
) -> SkillDynamics:
    """Least squares on the standardised changes of all segments that were held.

    Raises ValueError if there is none, and FloatingPointError if learning breaks down.
    """
    obs, skill, change = (rows.to(device) for rows in _pairs(data))
    shape = DynamicsShape(
        obs.shape[1], data.places.shape[-1], skill.shape[1], skill_steps,
        config.members, config.hidden_dim, config.hidden_layers,
    )  # fmt: skip
    model = SkillDynamics(shape, generator).to(device)
    model.observe(obs, change)
    wanted = model.outputs(change)
    optimiser = torch.optim.Adam(model.parameters(), config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.gradient_steps)
    size = (config.members, config.batch_size)
    for _ in range(config.gradient_steps):
        rows = torch.randint(len(obs), size, generator=generator).to(device)
        loss = (model(obs[rows], skill[rows]) - wanted[rows]).square().mean(dim=(1, 2)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if on_steps is not None:
            on_steps(1)
    if not loss.isfinite():
        raise FloatingPointError("learning skill dynamics broke down: lower the learning rate")
    return model.requires_grad_(False)


def held_out_errors(
    model: SkillDynamics, data: SkillSegments, parts: Mapping[str, slice], horizon: int
) -> dict[str, Any]:
    """Errors of the mean of the members, each beside those of predicting that nothing changes.

    `place_m` holds, for 1 to `horizon` skills foreseen from one state without looking again, the
    mean distance in m from the true place (None where no episode is so long). `parts_rmse` holds
    root mean squared errors over one skill for each named part of the observation, in its own
    units. Raises ValueError if no segment of `data` was held.
    """
    device = model.outputs.shift.device
    obs, skill, change = (rows.to(device) for rows in _pairs(data))
    members = model.shape.members
    with torch.inference_mode():
        found = model.change(obs.expand(members, -1, -1), skill.expand(members, -1, -1)).mean(dim=0)
    return {
        "segments": len(obs),
        "place_m": {
            str(length): _place_errors(model, data, length) for length in range(1, horizon + 1)
        },
        "parts_rmse": {
            name: {
                "model": _rms((found - change)[:, part]),
                "nothing_changes": _rms(change[:, part]),
            }
            for name, part in parts.items()
        },
    }


def _place_errors(
    model: SkillDynamics, data: SkillSegments, length: int
) -> dict[str, float | int] | None:
    episode, first = data.windows(length)
    if not len(episode):
        return None
    device = model.outputs.shift.device
    steps = first[:, None] + np.arange(length)
    obs, place, skills, truth = (
        torch.as_tensor(rows, device=device)
        for rows in (
            data.obs[episode, first],
            data.places[episode, first],
            data.skills[episode[:, None], steps][:, None],
            data.places[episode, first + length],
        )
    )
    foreseen = model.predict(PlanningState(obs, obs, place), skills).mean(dim=0)[:, 0, -1]
    return {
        "model": float((foreseen - truth).norm(dim=-1).mean()),
        "nothing_changes": float((place - truth).norm(dim=-1).mean()),
        "samples": len(episode),
    }


def _pairs(
    data: SkillSegments,
) -> tuple[Float[Tensor, "B O"], Float[Tensor, "B Z"], Float[Tensor, "B D"]]:
    """Observation and skill at the start of each held segment, and what changed during it."""
    held = data.held
    if not held.any():
        raise ValueError(
            "no skill was held to its end: episodes are shorter than a skill; lower skill-steps"
        )
    state = np.concatenate([data.obs, data.places], axis=-1)
    change = (state[:, 1:] - state[:, :-1])[held]
    rows = data.obs[:, :-1][held], data.skills[held], change
    obs, skill, change_rows = (torch.from_numpy(np.ascontiguousarray(each)) for each in rows)
    return obs, skill, change_rows


def _rms(error: Float[Tensor, "B W"]) -> float:
    return float(error.square().mean().sqrt())
