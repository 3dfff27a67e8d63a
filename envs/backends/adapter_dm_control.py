"""Any task of dm_control's suite as a single world of the adapter."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import mujoco
import numpy as np
from jaxtyping import Float, UInt8

from envs.backends.adapter_state import copy_model, load_simulation, save_simulation
from envs.backends.adapter_world import Signals, Step, UnsuitableEnvError, WorldSpec
from envs.errors import RenderingError
from envs.gl import INSTALL_HINT
from envs.seeding import restore_source, source_state


def import_suite() -> Any:
    """The module dm_control.suite, imported late because it takes seconds."""
    with warnings.catch_warnings():
        # Without a display and an off-screen library it warns that it cannot draw; we say so
        # when someone wants a picture.
        warnings.filterwarnings("ignore", message=".*DISPLAY.*")
        from dm_control import suite
    return suite


class DMControlWorld:
    """One task of the suite, seeded as `suite.load(task_kwargs={"random": seed})` seeds it.

    Observations are the task's, raveled and concatenated in its own order. The side signal
    `position` holds x and y of a free first body, or the coordinates of leading slide joints.

    Args:
        recipe: Loads the environment.
        seed: Of the first episode.
    """

    def __init__(self, recipe: DMControlRecipe, seed: int | None) -> None:
        self._recipe = recipe
        self._limit = recipe.max_episode_steps
        self._load(_draw_seed() if seed is None else seed)
        # A private field, but nothing else tells the limit.
        limit = self._env._step_limit if self._limit is None else self._limit
        actions = self._env.action_spec()
        low, high = (np.broadcast_to(b, actions.shape) for b in (actions.minimum, actions.maximum))
        self.spec = WorldSpec(
            gymnasium.spaces.Box(-np.inf, np.inf, self._first[0].shape, np.float64),
            gymnasium.spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32),
            {name: value.size for name, value in self._first[1].items()},
            None if math.isinf(limit) else math.ceil(limit),
        )

    def _load(self, seed: int) -> None:
        """Load the environment anew: some tasks draw the model itself from the seed."""
        self._env = self._recipe.load(seed)
        self._seed = seed
        physics = self._env.physics
        self._model: mujoco.MjModel = physics.model.ptr
        self._data: mujoco.MjData = physics.data.ptr
        self._pristine = copy_model(self._model)
        self._position = _position_size(self._model)
        self._elapsed = 0
        first = self._env.reset()
        self._first = (_flatten(first.observation), self._signals())
        self._fresh = True

    def reset(self, seed: int | None) -> tuple[Float[np.ndarray, "D"], Signals]:
        """Begin an episode; see `SingleWorld.reset`."""
        self._elapsed = 0
        if seed is not None and not (self._fresh and seed == self._seed):
            self._load(seed)
        if self._fresh:
            self._fresh = False
            return self._first
        return _flatten(self._env.reset().observation), self._signals()

    def step(self, action: Float[np.ndarray, "A"]) -> Step:
        """Take one control step; an end with discount 0 is terminal, any other a truncation."""
        time_step = self._env.step(action.astype(np.float64))
        self._elapsed += 1
        terminated = bool(time_step.last() and time_step.discount == 0.0)
        cut = self._limit is not None and self._elapsed >= self._limit
        return Step(
            _flatten(time_step.observation),
            self._signals(),
            float(time_step.reward),
            terminated,
            cut or bool(time_step.last() and not terminated),
        )

    def _signals(self) -> Signals:
        if not self._position:
            return {}
        return {"position": np.array(self._data.qpos[: self._position])}

    def picture(self, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
        """Draw the world through the model's first camera."""
        camera = 0 if self._model.ncam else -1
        try:
            return self._env.physics.render(height=height, width=width, camera_id=camera).copy()
        # Every OpenGL library fails in its own way when it is absent.
        except (ImportError, AttributeError, OSError, RuntimeError, mujoco.FatalError) as error:
            raise RenderingError(f"cannot render ({error}): {INSTALL_HINT}") from error

    def state_dict(self) -> dict[str, Any]:
        """Simulation, the model where it changed, random source, counters, the task's numbers."""
        return {
            "seed": self._seed,
            "simulation": save_simulation(self._model, self._data, self._pristine),
            "random": source_state(self._env.task.random),
            "task": {
                name: float(value)
                for name, value in vars(self._env.task).items()
                if isinstance(value, float)
            },
            "steps": self._env._step_count,
            "ended": self._env._reset_next_step,
            "elapsed": self._elapsed,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`."""
        if state["seed"] != self._seed:
            self._load(int(state["seed"]))
        load_simulation(self._model, self._data, self._pristine, state["simulation"])
        # The suite begins every control step from the stages that the last one ended with.
        mujoco.mj_step1(self._model, self._data)
        restore_source(self._env.task.random, state["random"])
        vars(self._env.task).update(state["task"])
        self._env._step_count = int(state["steps"])
        self._env._reset_next_step = bool(state["ended"])
        self._elapsed = int(state["elapsed"])
        self._fresh = False

    def close(self) -> None:
        """Free the environment."""
        self._env.close()


@dataclass(frozen=True)
class DMControlRecipe:
    """How to make a `DMControlWorld` in any process."""

    spec_id: str
    domain: str
    task: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the task, such as `environment_kwargs`."""
    max_episode_steps: int | None = None
    """Replaces the task's own time limit unless None."""

    def make(self, seed: int | None) -> DMControlWorld:
        """Make the world; UnsuitableEnvError if the task does not accept the options."""
        return DMControlWorld(self, seed)

    def load(self, seed: int) -> Any:
        """The suite's environment with its random source seeded by `seed`."""
        task_options = {"random": seed, **self.options}
        if self.max_episode_steps is not None:
            task_options["time_limit"] = math.inf
        try:
            return import_suite().load(self.domain, self.task, task_kwargs=task_options)
        except TypeError as error:
            raise UnsuitableEnvError(f"{self.spec_id} cannot be made: {error}") from error

    def check_transport(self) -> None:
        """Recipes of the suite can always be sent to workers."""


def _flatten(observation: Mapping[str, Any]) -> Float[np.ndarray, "D"]:
    return np.concatenate([np.ravel(part) for part in observation.values()]).astype(np.float64)


def _position_size(model: mujoco.MjModel) -> int:
    """How many leading coordinates tell where the body is: x and y, or leading slides."""
    kinds = model.jnt_type
    if len(kinds) and kinds[0] == mujoco.mjtJoint.mjJNT_FREE:
        return 2
    slides = kinds == mujoco.mjtJoint.mjJNT_SLIDE
    return int(slides[0]) + int(slides[:2].all()) if len(slides) > 1 else int(slides.any())


def _draw_seed() -> int:
    """A seed from the operating system, kept so that the state can name it."""
    return int(np.random.SeedSequence().generate_state(1)[0])
