"""A world whose observations say what must come next, and a learner that checks that it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from envs.vector_world import VectorWorld
from rl_info.rewards.base import IntrinsicReward
from rl_info.transitions import Transitions

HIGH = 3.0
"""Upper bound of the actions, so that a forgotten scaling shows."""


def episode_length(world: float, episode: float) -> int:
    return 3 + int(world * 5 + episode * 7) % 6


def terminates(world: float, episode: float) -> bool:
    return int(world + episode) % 2 == 0


def action_for(world: float, episode: float, count: float) -> float:
    """An action in [-1, 1] that no other recent step has."""
    return ((world * 31 + episode * 17 + count * 3) % 101) / 50.5 - 1.0


def reward_for(world: float, episode: float, count: float) -> float:
    return world + 10.0 * episode + 0.25 * count


class CountingWorld(VectorWorld):
    """Observes (world, episode, steps done in it); the signal `total` counts the world's steps."""

    def __init__(self, num_envs: int, can_save: bool = True) -> None:
        super().__init__(
            "test/counting",
            num_envs,
            gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float32),
            gymnasium.spaces.Box(-1.0, HIGH, (1,), np.float32),
            {"total": 1, "unused": 2},
            9,
        )
        self.can_save = can_save
        self.closed = False
        self.episode = np.full(num_envs, -1)
        self.count = np.zeros(num_envs, dtype=np.int64)
        self.total = np.zeros(num_envs, dtype=np.int64)

    def _obs(self) -> np.ndarray:
        return np.stack([np.arange(self.num_envs), self.episode, self.count], 1).astype(np.float32)

    def _signals(self) -> dict[str, np.ndarray]:
        total = self.total[:, None].astype(np.float32)
        return {"total": total, "unused": np.zeros((self.num_envs, 2), np.float32)}

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Any = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        self.episode += 1
        self.count[:] = 0
        return self._obs(), {"signals": self._signals()}

    def step(self, actions: np.ndarray) -> Any:
        assert actions.shape == (self.num_envs, 1)
        assert actions.dtype == np.float32
        ended = np.zeros(self.num_envs, dtype=bool)
        terminated = np.zeros(self.num_envs, dtype=bool)
        reward = np.zeros(self.num_envs)
        for i in range(self.num_envs):
            expected = action_for(i, self.episode[i], self.count[i])
            assert abs(actions[i, 0] - (expected * (HIGH + 1) / 2 + (HIGH - 1) / 2)) < 1e-5
            reward[i] = reward_for(i, self.episode[i], self.count[i])
            self.count[i] += 1
            self.total[i] += 1
            ended[i] = self.count[i] == episode_length(i, self.episode[i])
            terminated[i] = ended[i] and terminates(i, self.episode[i])
        info: dict[str, Any] = {}
        if ended.any():
            info = {
                "final_obs": self._obs(),
                "_final_obs": ended.copy(),
                "final_signals": self._signals(),
            }
            self.episode[ended] += 1
            self.count[ended] = 0
            self.total[ended] += 1000
        info["signals"] = self._signals()
        return self._obs(), reward, terminated, ended & ~terminated, info

    def state_dict(self) -> dict[str, Any]:
        if not self.can_save:
            raise NotImplementedError("this world cannot be saved")
        return {
            "episode": self.episode.copy(),
            "count": self.count.copy(),
            "total": self.total.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if not self.can_save:
            raise NotImplementedError("this world cannot be restored")
        self.episode[:], self.count[:] = state["episode"], state["count"]
        self.total[:] = state["total"]

    def render(self, world_index: int = 0, height: int = 240, width: int = 320) -> np.ndarray:
        return np.zeros((height, width, 3), np.uint8)

    def close(self, **kwargs: Any) -> None:
        self.closed = True


class CountingLearner:
    """Asserts that what it acts on continues what it saw, and that what it learns from is true."""

    def __init__(self) -> None:
        self.rewards: dict[str, IntrinsicReward] = {}
        self.device = torch.device("cpu")
        self.previous: Tensor | None = None
        self.skills: dict[tuple[float, ...], Tensor] = {}
        self.updates = 0
        self.rows = 0

    def observe(self, obs: Tensor) -> None:
        if self.previous is not None:
            for (world, episode, count), (_, then, before) in zip(
                obs.tolist(), self.previous.tolist(), strict=True
            ):
                goes_on = before + 1 < episode_length(world, then)
                assert (episode, count) == ((then, before + 1) if goes_on else (then + 1, 0))
        self.previous = obs.clone()

    def act(self, obs: Tensor, skill: Tensor, deterministic: bool = False) -> Tensor:
        assert self.previous is not None
        assert torch.equal(obs, self.previous)
        for row, z in zip(obs.tolist(), skill, strict=True):
            self.skills[tuple(row)] = z.clone()
        return torch.tensor([[action_for(*row)] for row in obs.tolist()], dtype=torch.float32)

    def update(self, batch: Transitions, valid: Tensor | None = None) -> dict[str, Tensor]:
        rows = range(len(batch.obs))
        for i in rows if valid is None else [j for j in rows if valid.flatten()[j]]:
            self.check(batch, i)
        if valid is not None:
            self.check_windows(batch, valid)
        self.updates += 1
        self.rows += len(batch.obs)
        return {"loss/none": torch.tensor(float(self.updates))}

    def check(self, batch: Transitions, i: int) -> None:
        world, episode, count = batch.obs[i].tolist()
        assert batch.next_obs[i].tolist() == [world, episode, count + 1]
        assert batch.action[i].item() == np.float32(action_for(world, episode, count))
        assert batch.reward[i].item() == reward_for(world, episode, count)
        ended = count + 1 == episode_length(world, episode)
        assert bool(batch.terminated[i]) == (ended and terminates(world, episode))
        assert bool(batch.truncated[i]) == (ended and not terminates(world, episode))
        assert torch.equal(batch.skill[i], self.skills[(world, episode, count)])
        assert set(batch.signals) == {"total"}
        assert (batch.next_signals["total"] - batch.signals["total"])[i].item() == 1

    def check_windows(self, batch: Transitions, valid: Tensor) -> None:
        length, count = valid.shape
        assert valid[0].all()
        for b in range(count):
            for t in range(1, length):
                now, before = t * count + b, (t - 1) * count + b
                if valid[t, b]:
                    assert valid[t - 1, b]
                    assert torch.equal(batch.obs[now], batch.next_obs[before])
                    assert torch.equal(batch.skill[now], batch.skill[before])

    def state_dict(self) -> dict[str, Any]:
        return {"previous": self.previous, "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.previous, self.updates = state["previous"], state["updates"]
