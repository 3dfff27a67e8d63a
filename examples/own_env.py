"""A Gymnasium environment of your own: register it, then train on it by its id."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import gymnasium
import numpy as np

from agents.cli.main import main


class Puddle(gymnasium.Env[np.ndarray, np.ndarray]):
    """A point that drifts in the plane and is rewarded for staying near the origin."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start somewhere in the unit square."""
        super().reset(seed=seed)
        self._place = self.np_random.uniform(-1.0, 1.0, 2)
        return self._place.copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move by a tenth of the action, and drift."""
        drift = self.np_random.normal(0.0, 0.02, 2)
        self._place = self._place + 0.1 * np.clip(action, -1.0, 1.0) + drift
        lost = bool(np.abs(self._place).max() > 3.0)
        return self._place.copy(), float(-np.linalg.norm(self._place)), lost, False, {}


gymnasium.register("Puddle-v0", entry_point=Puddle, max_episode_steps=100)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total-steps", default="20000")
    parser.add_argument("--run-dir", default="runs/puddle")
    options = parser.parse_args()
    flags = ["--warmup-steps", "1000", "--total-steps", options.total_steps]
    sys.exit(main(["train", "sac", "--env", "gym/Puddle-v0", *flags, "--run-dir", options.run_dir]))
