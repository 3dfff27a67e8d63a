"""Envs with known habits, good and bad, for the adapter's tests; importable by worker processes."""

from __future__ import annotations

import os
import time
from typing import Any

import gymnasium
import numpy as np


class CountingEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """Observes (seed-dependent start, steps so far, last action); terminates after `length`."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        length: int = 5,
        trouble: str = "",
        trouble_seed: int = -1,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.length, self.trouble, self.trouble_seed = length, trouble, trouble_seed
        self.render_mode = render_mode
        if trouble and trouble not in TROUBLES:
            raise KeyError(trouble)
        self.seed = -1
        self.resets = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.seed = self.seed if seed is None else seed
        self.resets += 1
        self.count, self.last = 0, 0.0
        self.start = self.np_random.uniform()
        return self.observe(), self.describe()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.count += 1
        self.last = float(action[0])
        if self.seed == self.trouble_seed and self.count == 2:
            TROUBLES[self.trouble]()
        return self.observe(), float(self.count), self.count >= self.length, False, self.describe()

    def observe(self) -> np.ndarray:
        return np.array([self.start, self.count, self.last])

    def describe(self) -> dict[str, Any]:
        object_position = [self.count, 1.0]
        return {"x_position": self.start, "signals": {"object_position": object_position}}

    def render(self) -> np.ndarray:
        return np.full((8, 6, 3), 10 * self.count, dtype=np.uint8)

    def state_dict(self) -> dict[str, Any]:
        random = self.np_random.bit_generator.state
        return {"count": self.count, "last": self.last, "start": self.start, "random": random}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count, self.last, self.start = state["count"], state["last"], state["start"]
        self.np_random.bit_generator.state = state["random"]


class SecretiveEnv(CountingEnv):
    """Gives no state away and draws no pictures."""

    metadata = {"render_modes": []}
    state_dict = property()  # type: ignore[assignment]


class LateEnv(CountingEnv):
    """Reports its coordinate with steps only, as gymnasium's older MuJoCo envs do."""

    def reset(self, **arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
        observation, info = super().reset(**arguments)
        del info["x_position"]
        return observation, info


class StickyEnv(CountingEnv):
    """Cannot be closed without an error, but notes that it was asked to."""

    asked = 0

    def close(self) -> None:
        type(self).asked += 1
        raise OSError("a deliberate fault of closing")


class SlowEnv(CountingEnv):
    """Takes `step_seconds` for a step."""

    def __init__(self, step_seconds: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        self.step_seconds = step_seconds

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        time.sleep(self.step_seconds)
        return super().step(action)


class SquareEnv(CountingEnv):
    """Observations and actions of shape (2, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2, 2), np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2, 2), np.float32)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return action, float(action[0, 1]), False, False, {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        return np.zeros((2, 2), np.float32), {}


def raise_error() -> None:
    raise ZeroDivisionError("a deliberate fault")


def leave_unwritten() -> None:
    raise NotImplementedError("a deliberate gap")


def hang() -> None:
    time.sleep(3600.0)


def exit_hard() -> None:
    os._exit(3)


TROUBLES = {"raise": raise_error, "gap": leave_unwritten, "hang": hang, "exit": exit_hard}


def register_all() -> None:
    """Register every env above, as a user's module would."""
    for name, entry in (("Counting", CountingEnv), ("Secretive", SecretiveEnv)):
        gymnasium.register(f"{name}-v0", entry_point=entry, max_episode_steps=100)
    gymnasium.register("Slow-v0", entry_point=SlowEnv)
    gymnasium.register("Square-v0", entry_point=SquareEnv)


register_all()
