"""Worlds simple enough to know the right answer: points that move as the action says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch

from envs.errors import RenderingError
from envs.vector_world import VectorWorld


class PlaneWorld(VectorWorld):
    """A point in `dims` dimensions; each step adds `speed`·action and pays the first action.

    Starts within ±.1 of the origin. Optionally ends, terminated, at a distance of `edge`. Shows
    a picture with a bright column at x, unless `without_gl`.
    """

    def __init__(
        self,
        num_envs: int,
        seed: int = 0,
        *,
        dims: int = 2,
        steps: int = 20,
        speed: float = 1.0,
        edge: float = np.inf,
        with_position: bool = True,
        without_gl: bool = False,
    ) -> None:
        box = gymnasium.spaces.Box
        super().__init__(
            "test/plane",
            num_envs,
            box(-np.inf, np.inf, (dims,), np.float32),
            box(-1.0, 1.0, (dims,), np.float32),
            {"position": dims} if with_position else {},
            steps,
        )
        self.dims, self.speed, self.edge = dims, speed, edge
        self.with_position, self.without_gl = with_position, without_gl
        self.seeds = [seed + index for index in range(num_envs)]
        self.closed_count = 0

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ):
        if isinstance(seed, int):
            self.seeds = [seed + index for index in range(self.num_envs)]
        self.random = [np.random.default_rng(each) for each in self.seeds]
        self.place = np.stack([self._start(index) for index in range(self.num_envs)])
        self.elapsed = np.zeros(self.num_envs, dtype=np.int64)
        return self._observe(), self._info()

    def step(self, actions):
        self.place = self.place + self.speed * actions
        self.elapsed += 1
        reward = actions[:, 0].astype(np.float64)
        terminated = np.linalg.norm(self.place, axis=1) >= self.edge
        truncated = ~terminated & (self.elapsed >= self.max_episode_steps)
        ended = terminated | truncated
        info = {}
        if ended.any():
            info |= {"final_obs": self._observe(), "_final_obs": ended}
            info["final_signals"] = self._info()["signals"]
            for index in np.flatnonzero(ended):
                self.place[index] = self._start(index)
            self.elapsed[ended] = 0
        return self._observe(), reward, terminated, truncated, {**self._info(), **info}

    def render(self, world_index: int = 0, height: int = 240, width: int = 320):
        if self.without_gl:
            raise RenderingError("cannot render (test): apt-get install libegl1")
        picture = np.full((height, width, 3), 60, dtype=np.uint8)
        column = int(np.clip(width / 2 + 4 * self.place[world_index, 0], 0, width - 1))
        picture[:, column] = 255
        return picture

    def state_dict(self) -> dict[str, Any]:
        return {"place": self.place.copy(), "elapsed": self.elapsed.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.place, self.elapsed = state["place"].copy(), state["elapsed"].copy()

    def close(self, **kwargs: Any) -> None:
        self.closed_count += 1

    def _start(self, index: int) -> np.ndarray:
        return self.random[index].uniform(-0.1, 0.1, self.dims)

    def _observe(self) -> np.ndarray:
        return self.place.astype(np.float32)

    def _info(self) -> dict[str, Any]:
        signals = {"position": self._observe()} if self.with_position else {}
        return {"signals": signals}


class FollowSkill:
    """The policy that goes in the direction of its skill, as far as the actions allow."""

    device = torch.device("cpu")

    def __init__(self, actions: torch.Tensor | None = None) -> None:
        self.actions = actions
        """Action of each discrete skill; None: a continuous skill is the action."""

    def act(self, obs: torch.Tensor, skill: torch.Tensor, deterministic: bool = False):
        assert deterministic
        return skill if self.actions is None else skill @ self.actions


class StandStill:
    """The policy without skills that does nothing but push a little along the first axis."""

    device = torch.device("cpu")

    def act(self, obs: torch.Tensor, skill: torch.Tensor, deterministic: bool = False):
        assert skill.shape == (len(obs), 0)
        action = torch.zeros(len(obs), obs.shape[1])
        action[:, 0] = 0.5
        return action
