"""Hand-made skills, and a world in which the right choice among them is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from agents.hierarchy.interface import Interface
from envs.seeding import spread_seeds
from envs.vector_world import VectorWorld, read_reset_mask
from rl_info.skills import SkillSpec


class LinearSkills:
    """action = tanh(A obs / 10 + B skill + noise / 2), summed row by row.

    So a row of a batch has the bits that it would have alone.
    """

    device = torch.device("cpu")

    def __init__(self, world: VectorWorld, spec: SkillSpec, seed: int = 0) -> None:
        self.spec, self.interface = spec, Interface.of(world)
        generator = torch.Generator().manual_seed(seed)
        sees = sum(self.interface.observation.values())
        does = len(self.interface.action_low)
        self.of_obs = torch.randn(does, sees, generator=generator) / 10
        self.of_skill = torch.randn(does, spec.dim, generator=generator)

    def act(self, obs: Tensor, skill: Tensor, noise: Tensor | None = None) -> Tensor:
        raw = (obs[:, None] * self.of_obs).sum(-1) + (skill[:, None] * self.of_skill).sum(-1)
        return torch.tanh(raw if noise is None else raw + noise / 2)


class DirectionSkills:
    """The skill is the action: a direction to walk in."""

    device = torch.device("cpu")

    def __init__(self, world: VectorWorld) -> None:
        self.spec, self.interface = SkillSpec("continuous", 2), Interface.of(world)

    def act(self, obs: Tensor, skill: Tensor, noise: Tensor | None = None) -> Tensor:
        return skill


class GoalWorld(VectorWorld):
    """A point that sees the way to a goal, walks 0.1 a step, and pays minus its distance.

    The goal is 0.5 to 1 away. `success` is being within 0.2; the episode ends, terminated, within
    `close`, and is truncated after `steps`. World `broken` observes NaN from its third step on.
    """

    def __init__(
        self,
        num_envs: int,
        seed: int = 0,
        *,
        steps: int = 20,
        close: float = 0.0,
        broken: int | None = None,
    ) -> None:
        box = gymnasium.spaces.Box
        super().__init__(
            "test/goal",
            num_envs,
            box(-np.inf, np.inf, (2,), np.float32),
            box(-1.0, 1.0, (2,), np.float32),
            {"position": 2, "success": 1},
            steps,
        )
        self.close_to, self.broken = close, broken
        self.seeds = spread_seeds(seed, num_envs)
        self.random = [np.random.default_rng(each) for each in self.seeds]
        self.goal = np.zeros((num_envs, 2))
        self.place = np.zeros((num_envs, 2))
        self.elapsed = np.zeros(num_envs, dtype=np.int64)
        self.pictures = 0

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        mask = read_reset_mask(options, self.num_envs)
        for index, value in enumerate(spread_seeds(seed, self.num_envs)):
            if mask[index]:
                if value is not None:
                    self.random[index] = np.random.default_rng(value)
                self._begin(index)
        self._ready = True
        return self._observe(), {"signals": self._signals()}

    def step(self, actions: Any) -> Any:
        action = self._check_step(actions)
        self.place += 0.1 * np.clip(action, -1, 1)
        self.elapsed += 1
        distance = np.linalg.norm(self.goal - self.place, axis=1)
        terminated = distance <= self.close_to
        truncated = ~terminated & (self.elapsed >= self.max_episode_steps)
        ended = terminated | truncated
        info: dict[str, Any] = {}
        if ended.any():
            info = {"final_obs": self._observe(), "_final_obs": ended}
            info["final_signals"] = self._signals()
            for index in np.flatnonzero(ended):
                self._begin(index)
        return self._observe(), -distance, terminated, truncated, {
            **info, "signals": self._signals(),
        }  # fmt: skip

    def _begin(self, index: int) -> None:
        angle = self.random[index].uniform(0, 2 * np.pi)
        self.place[index] = 0.0
        self.goal[index] = self.random[index].uniform(0.5, 1.0) * np.array(
            [np.cos(angle), np.sin(angle)]
        )
        self.elapsed[index] = 0

    def _observe(self) -> np.ndarray:
        obs = (self.goal - self.place).astype(np.float32)
        if self.broken is not None and self.elapsed[self.broken] >= 3:
            obs[self.broken] = np.nan
        return obs

    def _signals(self) -> dict[str, np.ndarray]:
        near = np.linalg.norm(self.goal - self.place, axis=1) <= 0.2
        return {
            "position": self.place.astype(np.float32),
            "success": near[:, None].astype(np.float32),
        }

    def render(self, world_index: int = 0, height: int = 240, width: int = 320) -> np.ndarray:
        self.pictures += 1
        picture = np.full((height, width, 3), 60, dtype=np.uint8)
        column, row = (self.place[world_index] * 0.2 * (width, height)).astype(int)
        picture[
            np.clip(height // 2 + row, 0, height - 1), np.clip(width // 2 + column, 0, width - 1)
        ] = 255
        return picture

    def state_dict(self) -> dict[str, Any]:
        return {
            "goal": self.goal.copy(),
            "place": self.place.copy(),
            "elapsed": self.elapsed.copy(),
            "random": [each.bit_generator.state for each in self.random],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.goal, self.place = state["goal"].copy(), state["place"].copy()
        self.elapsed = state["elapsed"].copy()
        for random, saved in zip(self.random, state["random"], strict=True):
            random.bit_generator.state = saved
        self._ready = True
