"""What happens in N worlds while one skill acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from agents.training.collector import require_finite


class Decision:
    """Adds up the env steps of N worlds until the skill's time is over or the episode is.

    A world whose episode ended counts no more: what its successor does belongs to nobody.
    """

    def __init__(self, num_envs: int) -> None:
        self.running = np.ones(num_envs, dtype=bool)
        """Worlds whose episode goes on."""
        self.env_steps = np.zeros(num_envs, dtype=np.int64)
        """Env steps that each world took."""
        self.reward = np.zeros(num_envs)
        """Sum of the task's rewards of these steps."""
        self.terminated = np.zeros(num_envs, dtype=bool)
        self.truncated = np.zeros(num_envs, dtype=bool)
        self.final_obs: Float[np.ndarray, "N D"] = np.empty((num_envs, 0))
        """Newest observation of the episode in which the decision was made."""
        self.final_signals: dict[str, Float[np.ndarray, "N _"]] = {}
        """Side signals of the same moment."""
        self.signals: dict[str, Float[np.ndarray, "N _"]] = {}
        """Newest side signals of each world, of whatever episode."""

    def add(
        self,
        obs: Float[np.ndarray, "N D"],
        reward: Float[np.ndarray, " N"],
        terminated: Bool[np.ndarray, " N"],
        truncated: Bool[np.ndarray, " N"],
        info: Mapping[str, Any],
    ) -> None:
        """Count one env step of the running worlds, as a vector world returned it.

        Raises NonFiniteStepError naming a running world with a value that is not finite.
        """
        running, ended = self.running, terminated | truncated
        self.signals = info.get("signals", {})
        last, last_signals = obs, self.signals
        if ended.any():
            last = np.where(ended[:, None], info["final_obs"], obs)
            last_signals = {
                name: np.where(ended[:, None], info["final_signals"][name], value)
                for name, value in self.signals.items()
            }
        if running.all():
            self.final_obs, self.final_signals = last.copy(), dict(last_signals)
        else:
            self.final_obs[running] = last[running]
            for name, value in last_signals.items():
                self.final_signals[name] = np.where(
                    running[:, None], value, self.final_signals[name]
                )
        earned = np.where(running, reward, 0.0)
        require_finite(self.final_obs, earned)
        self.reward += earned
        self.env_steps += running
        self.terminated |= running & terminated
        self.truncated |= running & truncated
        self.running = running & ~ended
