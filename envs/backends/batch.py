"""The CPU backend: native tasks on MuJoCo's batch, in one process on all cores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import gymnasium
import mujoco
import numpy as np
from jaxtyping import Bool, Float, Int

from envs.backends.initial_states import Resets, make_initial_states
from envs.backends.kernels import count_step
from envs.backends.simulation import Simulations
from envs.rendering import Renderer
from envs.seeding import Source, make_source, restore_source, source_state, spread_seeds
from envs.tasks.base import Fields, Task
from envs.vector_world import Options, Picture, Seeds, Start, StepResult, VectorWorld

Dtype = Literal["float32", "float64"]


class BatchWorld(VectorWorld):
    """N worlds of a native task, bit-identical for any N and any number of threads.

    Args:
        task: What to simulate, see, earn and end.
        spec_id: Id of the task.
        num_envs: Number of worlds N.
        seed: World i is first seeded with `seed + i`; None draws seeds from the operating system.
        dtype: Of observations and signals.
        max_episode_steps: Control steps until truncation; None for the task's own limit.
        num_threads: Native threads; 0 for as many as there are cores.
        resets: `pool` copies from a pool of initial states where a reset has to simulate;
            `exact` always follows the original.
        extra_fields: MjData fields to expose in `fields` beside those that the task reads.
    """

    def __init__(
        self,
        task: Task,
        spec_id: str,
        *,
        num_envs: int = 1,
        seed: int | None = None,
        dtype: Dtype = "float32",
        max_episode_steps: int | None = None,
        num_threads: int = 0,
        resets: Resets = "pool",
        extra_fields: Sequence[str] = (),
    ) -> None:
        self.task = task
        threads = min(num_threads or _available_cores(), num_envs)
        self._simulations = Simulations(task, num_envs, threads, extra_fields)
        self._keeps_finals = bool(extra_fields)
        self.final_fields: Fields | None = None
        self._initial_states = make_initial_states(task, self._simulations.output_names, resets)
        self._fields = self._simulations.fields
        self._dtype = np.dtype(dtype)
        self._fused = task.fused()
        self._width = task.observation_size
        low, high = task.action_bounds()
        signals = task.signals(self._fields)
        super().__init__(
            spec_id,
            num_envs,
            gymnasium.spaces.Box(-np.inf, np.inf, (self._width,), self._dtype.type),
            gymnasium.spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32),
            {name: value.shape[1] for name, value in signals.items()},
            max_episode_steps or task.time_limit,
        )
        self.coverage_cell = task.coverage_cell
        self.observation_layout = task.observation_layout
        self._limit = max_episode_steps or task.time_limit
        self._sources = self._make_sources(spread_seeds(seed, num_envs))
        self._elapsed = np.zeros(num_envs, dtype=np.int64)
        self._renderer = Renderer()
        self._picture: tuple[mujoco.MjModel | None, mujoco.MjData | None] = (None, None)

    @property
    def fields(self) -> Fields:
        """Live (N, ...) arrays of the bound MjData fields: copy before storing.

        With `extra_fields`, `final_fields` holds copies for the worlds whose episode ended in the
        last step in which one did, as they were before their reset, in ascending order.
        """
        return self._fields

    def _make_sources(self, seeds: Sequence[int | None]) -> list[Source]:
        return [make_source(self.task.random_source, seed) for seed in seeds]

    def reset(self, *, seed: Seeds = None, options: Options = None) -> Start:
        """Begin new episodes; see `VectorWorld.reset`."""
        mask = self._worlds_to_reset(options)
        for world, value in enumerate(spread_seeds(seed, self.num_envs)):
            if value is not None and mask[world]:
                self._sources[world] = make_source(self.task.random_source, value)
        self._ready = False
        self._begin_episodes(np.flatnonzero(mask))
        self._ready = True
        obs = self._new_observations()
        self.task.observe(self._fields, obs)
        return obs, {"signals": self._copy_signals()}

    def step(self, actions: Float[np.ndarray, "N A"]) -> StepResult:
        """Take one control step in every world; see `VectorWorld.step`."""
        action = self._check_step(actions)
        # A failed step leaves the worlds apart in time: a reset or a saved state is needed then.
        self._ready = False
        self._simulations.step(action)
        obs = self._new_observations()
        reward = np.empty(self.num_envs)
        terminated = np.empty(self.num_envs, dtype=bool)
        if self._fused is None:
            self.task.observe(self._fields, obs)
            self.task.reward(self._fields, action, reward)
            self.task.terminated(self._fields, terminated)
        else:
            self._fused(self._fields, action, obs, reward, terminated)
        truncated = np.empty(self.num_envs, dtype=bool)
        ended = np.empty(self.num_envs, dtype=bool)
        any_ended = count_step(self._elapsed, self._limit, terminated, truncated, ended)
        info: dict[str, Any] = {"signals": self._copy_signals()}
        if any_ended:
            obs = self._next_episodes(ended, obs, info)
        self._ready = True
        return obs, reward, terminated, truncated, info

    def _next_episodes(
        self, ended: Bool[np.ndarray, "N"], obs: Float[np.ndarray, "N D"], info: dict[str, Any]
    ) -> Float[np.ndarray, "N D"]:
        """Reset the `ended` worlds and return observations in which theirs are new."""
        worlds = np.flatnonzero(ended)
        info["final_obs"], info["_final_obs"], info["final_signals"] = obs, ended, info["signals"]
        if self._keeps_finals:
            self.final_fields = self._simulations.select(worlds)
        self._begin_episodes(worlds)
        begun = self._simulations.select(worlds)
        fresh, first = obs.copy(), np.empty((len(worlds), self._width), self._dtype)
        self.task.observe(begun, first)
        fresh[worlds] = first
        info["signals"] = {name: value.copy() for name, value in info["signals"].items()}
        for name, value in self.task.signals(begun).items():
            info["signals"][name][worlds] = value
        return fresh

    def _begin_episodes(self, worlds: Int[np.ndarray, "M"]) -> None:
        for world in worlds.tolist():
            self._simulations.place(world, self._initial_states.draw(self._sources[world]))
        self._elapsed[worlds] = 0

    def _new_observations(self) -> Float[np.ndarray, "N D"]:
        return np.empty((self.num_envs, self._width), self._dtype)

    def _copy_signals(self) -> dict[str, Float[np.ndarray, "N d"]]:
        signals = self.task.signals(self._fields)
        return {name: np.array(value, dtype=self._dtype) for name, value in signals.items()}

    def render(  # type: ignore[override]
        self, world_index: int = 0, height: int = 240, width: int = 320
    ) -> Picture:
        """Draw one world through the model's first camera; see `VectorWorld.render`."""
        self._check_picture(world_index, height, width)
        self._picture = model, data = self.export(world_index, *self._picture)
        return self._renderer.draw(model, data, height, width, 0 if model.ncam else -1)

    def export(
        self,
        world_index: int,
        model: mujoco.MjModel | None = None,
        data: mujoco.MjData | None = None,
    ) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """One world's own model and forwarded data, for MuJoCo's functions.

        They are copies: nothing done to them reaches the world.

        Args:
            world_index: The world.
            model: Written into, if given; from an earlier export.
            data: Written into, if given; from an earlier export.
        """
        return self._simulations.export(world_index, model, data)

    def state_dict(self) -> dict[str, Any]:
        """All that changes, as arrays and plain Python values; see `VectorWorld.state_dict`."""
        return {
            "spec_id": self.spec_id,
            "simulations": self._simulations.state_dict(),
            "sources": [source_state(source) for source in self._sources],
            "elapsed": self._elapsed.copy(),
            "ready": self._ready,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; see `VectorWorld.load_state_dict`."""
        self._check_saved(state["spec_id"], len(state["sources"]))
        self._simulations.load_state_dict(state["simulations"])
        for source, saved in zip(self._sources, state["sources"], strict=True):
            restore_source(source, saved)
        self._elapsed[:] = state["elapsed"]
        self._ready = bool(state["ready"])

    def copy_worlds(self, source: BatchWorld, worlds: Int[np.ndarray, "N"]) -> None:
        """Let world i go on where world `worlds[i]` of `source` is, bit for bit, until it ends.

        What would happen if: one world's future under many actions. Episodes after that begin from
        this world's own random sources, which are not touched.

        Raises:
            ValueError: if `source` is of another task, or `worlds` does not name one world of it
                for each of these.
            RuntimeError: if no episode goes on in `source`.
        """
        if source.spec_id != self.spec_id or source.model_size != self.model_size:
            raise ValueError(
                f"worlds of {source.spec_id} cannot be copied into {self.spec_id} with its options"
            )
        chosen = np.asarray(worlds)
        if chosen.shape != (self.num_envs,) or not _all_below(chosen, source.num_envs):
            raise ValueError(
                f"name one of the {source.num_envs} worlds for each of {self.num_envs} copies"
            )
        if not source._ready:
            raise RuntimeError("call reset() before copying worlds")
        self._simulations.copy_from(source._simulations, chosen)
        self._elapsed[:] = source._elapsed[chosen]
        self._ready = True

    @property
    def model_size(self) -> tuple[int, ...]:
        """Sizes of the model: coordinates, velocities, activations, controls, bodies and geoms."""
        model = self.task.model
        return model.nq, model.nv, model.na, model.nu, model.nbody, model.ngeom

    def close_extras(self, **kwargs: Any) -> None:
        """Free the renderer."""
        self._renderer.close()


def _all_below(worlds: Int[np.ndarray, "N"], count: int) -> bool:
    return bool(((worlds >= 0) & (worlds < count)).all())


def _available_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
