"""One world as a plain gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from envs.registry import make_vec


class SingleWorld(gymnasium.Env[np.ndarray, np.ndarray]):
    """One world of a native task behind `gymnasium.Env`.

    `info["signals"]` maps names to arrays of shape (d,). Truncation is built in.

    Args:
        task_id: Id of the task, such as `dmc/cheetah-run`.
        render_mode: None or `rgb_array`.
        **options: Further arguments of `envs.make_vec`.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}

    def __init__(self, task_id: str, render_mode: str | None = None, **options: Any) -> None:
        self._world = make_vec(task_id, num_envs=1, **options)
        self.render_mode = render_mode
        self.observation_space = self._world.single_observation_space
        self.action_space = self._world.single_action_space
        self._next_episode: tuple[np.ndarray, dict[str, Any]] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float[np.ndarray, "D"], dict[str, Any]]:
        """Begin an episode; without a seed the world's random source goes on."""
        super().reset(seed=seed)
        # The vector world has drawn the next episode already: a second draw would skip one.
        begun, self._next_episode = self._next_episode, None
        if seed is None and begun is not None:
            return begun
        obs, info = self._world.reset(seed=seed)
        return obs[0], {"signals": _first(info["signals"])}

    def step(
        self, action: Float[np.ndarray, "A"]
    ) -> tuple[Float[np.ndarray, "D"], float, bool, bool, dict[str, Any]]:
        """Take one control step; at an end the observation is the last of the episode.

        Raises:
            RuntimeError: if the episode is over and `reset` was not called.
        """
        if self._next_episode is not None:
            raise RuntimeError("the episode is over: call reset()")
        obs, reward, terminated, truncated, info = self._world.step(np.asarray(action)[None])
        signals = _first(info["signals"])
        last = obs[0]
        if "final_obs" in info:
            self._next_episode = last, {"signals": signals}
            last, signals = info["final_obs"][0], _first(info["final_signals"])
        return last, float(reward[0]), bool(terminated[0]), bool(truncated[0]), {"signals": signals}

    def render(self) -> UInt8[np.ndarray, "H W 3"] | None:
        """A picture if `render_mode` is `rgb_array`, else None."""
        return self._world.render() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free the simulation and the renderer."""
        self._world.close()


def _first(signals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value[0] for name, value in signals.items()}
