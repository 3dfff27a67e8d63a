"""Recorded sequences, goals, and episodes under control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.koopman.tasks import ControlTask
from benchmarks.koopman.worlds import PlacedWorlds, Sight

WORLDS = 50


@dataclass(frozen=True)
class Recording:
    """Sequences of observations (B, T, ...), each with the action (B, T, 1) that led to it."""

    obs: Tensor
    action: Tensor


def record(task: ControlTask, sight: Sight, sequences: int, steps: int, seed: int) -> Recording:
    """`sequences` of `steps` observations from random states under uniform random actions."""
    worlds = PlacedWorlds(task, WORLDS, sight, seed)
    seen, taken = [], []
    for _ in range(sequences // WORLDS):
        worlds.place(task.data)
        obs, actions = [], []
        # The pictures of the first step show the state before it was placed.
        for step in range(steps + 1):
            action = worlds.random.uniform(-1.0, 1.0, (WORLDS, 1))
            now, _ = worlds.step(action)
            if step:
                obs.append(now)
                actions.append(torch.from_numpy(action).float())
        seen.append(torch.stack(obs, dim=1))
        taken.append(torch.stack(actions, dim=1))
    worlds.close()
    return Recording(torch.cat(seen), torch.cat(taken))


def goal_observation(task: ControlTask, sight: Sight) -> Tensor:
    """What upright, central and at rest looks like, (1, ...)."""
    worlds = PlacedWorlds(task, 1, sight, 0)
    still = (0.0,) * (2 * worlds.positions)
    for _ in range(3):
        worlds.place((still, still))
        obs, _ = worlds.step(np.zeros((1, 1)))
    worlds.close()
    return obs


def to_goal(
    task: ControlTask,
    sight: Sight,
    control: Callable[[Tensor], Tensor],
    *,
    noisy: bool,
    episodes: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Share of steps in the goal region of each episode, and angles (T, N)."""
    worlds = PlacedWorlds(task, episodes, sight, seed)
    worlds.place(task.start)
    # One idle step gives pictures of the episode, as many as an observation holds.
    obs, _ = worlds.step(np.zeros((episodes, 1)))
    inside, angles = [], []
    for _ in range(task.horizon):
        action = control(obs).double().numpy()
        if noisy:
            worlds.disturb()
        obs, position = worlds.step(action)
        inside.append(task.in_goal(position))
        angles.append(position[:, -1])
    worlds.close()
    return np.mean(inside, axis=0), np.stack(angles)
