"""Worlds whose state can be placed and disturbed, seen as states or as pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

import envs
from benchmarks.koopman.tasks import ControlTask, Range
from envs.pixels.settings import PixelSettings

Sight = Literal["state", "pixels"]
FRAMES = 2
"""Pictures in an observation, as in PCC: one shows no velocity."""


class PlacedWorlds:
    """N worlds of a task that can be put anywhere and are disturbed where asked."""

    def __init__(self, task: ControlTask, count: int, sight: Sight, seed: int) -> None:
        self.task, self.sight = task, sight
        pixels = PixelSettings(frame_stack=FRAMES, action_repeat=task.repeat, state=True)
        options: dict[str, Any] = {"pixels": pixels} if sight == "pixels" else {}
        self.world: Any = envs.make_vec(
            task.env, num_envs=count, seed=seed, max_episode_steps=1_000_000, **options
        )
        self.world.reset(seed=seed)
        self.random = np.random.default_rng(seed)
        self.positions = len(task.data[0]) // 2
        self.count = count

    def place(self, where: Range) -> np.ndarray:
        """Put every world at a state drawn uniformly, and return their coordinates (N, P + V)."""
        states = self.random.uniform(*where, (self.count, len(where[0])))
        self._edit(lambda state: np.copyto(state[:, 1 : 1 + states.shape[1]], states))
        return states

    def disturb(self) -> None:
        """Add noise to the velocities."""
        noise = self.random.normal(0.0, self.task.noise, (self.count, self.positions))
        first, last = 1 + self.positions, 1 + 2 * self.positions

        def add(state: np.ndarray) -> None:
            state[:, first:last] += noise

        self._edit(add)

    def step(self, action: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Observations, and positions of the simulator (N, P), after one action."""
        if self.sight == "pixels":
            obs, _, _, _, info = self.world.step(action.astype(np.float32))
            seen = torch.from_numpy(obs["pixels"]).permute(0, 2, 3, 1).contiguous()
        else:
            for _ in range(self.task.repeat):
                obs, _, _, _, info = self.world.step(action.astype(np.float32))
            seen = torch.from_numpy(obs)
        return seen, np.hstack([info["signals"][name] for name in self.task.signals])

    def close(self) -> None:
        """Free the simulations."""
        self.world.close()

    def _edit(self, change: Callable[[np.ndarray], None]) -> None:
        saved = self.world.state_dict()
        change(self._bare(saved)["simulations"]["state"])
        self.world.load_state_dict(saved)

    def _bare(self, saved: dict[str, Any]) -> dict[str, Any]:
        inner: dict[str, Any] = saved["world"] if self.sight == "pixels" else saved
        return inner
