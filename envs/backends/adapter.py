"""Any gymnasium env and any dm_control task, in the contract of the native worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import gymnasium
import numpy as np
from jaxtyping import Float

from envs.backends.adapter_ids import find_recipe
from envs.backends.adapter_local import LocalWorlds
from envs.backends.adapter_workers import WorkerWorlds
from envs.backends.adapter_world import Recipe
from envs.seeding import spread_seeds
from envs.vector_world import Options, Picture, Seeds, Start, StepResult, VectorWorld


class AdapterWorld(VectorWorld):
    """N worlds that step one after the other, here or in worker processes.

    Args:
        recipe: Makes each world.
        spec_id: Id of the task.
        num_envs: Number of worlds N.
        seed: World i is first seeded with `seed + i`; None draws seeds from the operating system.
        dtype: Of observations and signals.
        workers: Worker processes; 0 to step the worlds in this process.
        step_timeout: Seconds that a worker may spend in one world before it counts as hanging.
    """

    def __init__(
        self,
        recipe: Recipe,
        spec_id: str,
        *,
        num_envs: int = 1,
        seed: int | None = None,
        dtype: Literal["float32", "float64"] = "float32",
        workers: int = 0,
        step_timeout: float = 60.0,
    ) -> None:
        if workers < 0:
            raise ValueError(f"workers must not be negative, got {workers}")
        if not step_timeout > 0.0:
            raise ValueError(f"step_timeout must be a positive number of seconds: {step_timeout}")
        seeds = spread_seeds(seed, num_envs)
        self._worlds: LocalWorlds | WorkerWorlds = (
            WorkerWorlds(recipe, seeds, workers, step_timeout)
            if workers
            else LocalWorlds(recipe, seeds)
        )
        spec = self._worlds.spec
        space = spec.observation_space
        self._dtype = np.dtype(dtype)
        bounds = (space.low.astype(self._dtype), space.high.astype(self._dtype))
        super().__init__(
            spec_id,
            num_envs,
            gymnasium.spaces.Box(*bounds, dtype=self._dtype.type),
            spec.action_space,
            spec.signal_dims,
            spec.max_episode_steps,
        )
        signal_size = sum(self.signal_dims.values())
        self._observations = np.zeros((num_envs, *space.shape))
        self._signals = np.zeros((num_envs, signal_size))

    def reset(self, *, seed: Seeds = None, options: Options = None) -> Start:
        """Begin new episodes; see `VectorWorld.reset`."""
        mask = self._worlds_to_reset(options)
        observations, signals = self._worlds.reset(mask, spread_seeds(seed, self.num_envs))
        self._observations[mask] = observations[mask]
        self._signals[mask] = signals[mask]
        self._ready = True
        return self._convert(self._observations), {"signals": self._split(self._signals)}

    def step(self, actions: Float[np.ndarray, "N A"]) -> StepResult:
        """Take one control step in every world; see `VectorWorld.step`."""
        action = self._check_step(actions)
        outcome = self._worlds.step(action)
        self._observations, self._signals = outcome.observation, outcome.signals
        info: dict[str, Any] = {"signals": self._split(outcome.signals)}
        ended = outcome.terminated | outcome.truncated
        if ended.any():
            info["final_obs"] = self._convert(outcome.final_observation)
            info["_final_obs"] = ended
            info["final_signals"] = self._split(outcome.final_signals)
        observations = self._convert(outcome.observation)
        return observations, outcome.reward, outcome.terminated, outcome.truncated, info

    def _convert(self, observations: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
        return np.array(observations, dtype=self._dtype)

    def _split(self, signals: Float[np.ndarray, "N S"]) -> dict[str, Float[np.ndarray, "N d"]]:
        ends = np.cumsum(list(self.signal_dims.values()))
        parts = np.split(signals, ends[:-1], axis=1) if len(ends) else []
        return {
            name: np.array(part, dtype=self._dtype)
            for name, part in zip(self.signal_dims, parts, strict=True)
        }

    def state_dict(self) -> dict[str, Any]:
        """The state of every world; see `VectorWorld.state_dict`.

        Raises:
            NotImplementedError: if the env does not give its state away.
        """
        if not self._ready:
            raise RuntimeError("call reset() before state_dict()")
        return {
            "spec_id": self.spec_id,
            "worlds": self._worlds.state_dicts(),
            "observations": self._observations.copy(),
            "signals": self._signals.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; see `VectorWorld.load_state_dict`."""
        self._check_saved(state["spec_id"], len(state["worlds"]))
        self._worlds.load_state_dicts(state["worlds"])
        self._observations = np.array(state["observations"])
        self._signals = np.array(state["signals"])
        self._ready = True

    def render(  # type: ignore[override]
        self, world_index: int = 0, height: int = 240, width: int = 320
    ) -> Picture:
        """Draw one world; see `VectorWorld.render`."""
        self._check_picture(world_index, height, width)
        return self._worlds.picture(world_index, height, width)

    def close_extras(self, **kwargs: Any) -> None:
        """Close every world, and end the worker processes."""
        self._worlds.close()


def make_adapter(
    id: str,
    *,
    num_envs: int = 1,
    seed: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    max_episode_steps: int | None = None,
    workers: int = 0,
    step_timeout: float = 60.0,
    env_factory: Callable[[], gymnasium.Env[Any, Any]] | None = None,
    **options: Any,
) -> AdapterWorld:
    """Make N worlds of a task that has no native definition.

    Args:
        id: `dmc/<domain>-<task>` of dm_control's suite, `gym/<id>` of a registered gymnasium env,
            or `gym/<module>:<id>`, which imports the module first.
        num_envs: Number of worlds N.
        seed: World i is seeded with `seed + i`.
        dtype: Of observations and signals.
        max_episode_steps: Control steps until truncation; None for the task's own limit.
        workers: Worker processes; 0 to step all worlds in this process, without a timeout.
        step_timeout: Seconds that one world may take in a worker before it counts as hanging.
        env_factory: Returns an env, used in place of what `id` names.
        **options: Keyword arguments of the env or of the suite's task.

    Raises:
        ValueError: for an unknown id (with the nearest right one), options that the env refuses,
            or spaces that are not Boxes.
        WorldError: if the env's own code fails.
    """
    recipe = find_recipe(id, env_factory, options, max_episode_steps)
    return AdapterWorld(
        recipe,
        id,
        num_envs=num_envs,
        seed=seed,
        dtype=dtype,
        workers=workers,
        step_timeout=step_timeout,
    )
