"""Any registered gymnasium env as a single world of the adapter."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator
from jaxtyping import Float, UInt8
from PIL import Image

from envs.backends.adapter_gymnasium_state import load_env_state, save_env_state
from envs.backends.adapter_world import Signals, Step, UnsuitableEnvError, WorldSpec, flat_box
from envs.errors import RenderingError
from envs.gl import INSTALL_HINT

COORDINATES = ("x_position", "y_position")
"""Where gymnasium's own envs report in `info` how far they have come."""


class GymnasiumWorld:
    """One gymnasium env with Box observations and Box actions, both flattened.

    Side signals are those of the env's `info["signals"]` (a dict of name to numbers), and
    `position`, from `info["x_position"]` and `info["y_position"]`, if reset reports them.

    Args:
        env: The env, without a time limit of gymnasium's own.
        spec_id: Its id, for messages.
        seed: Of the first episode.
        max_episode_steps: Control steps until truncation; None for never.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        spec_id: str,
        seed: int | None,
        max_episode_steps: int | None,
    ) -> None:
        self._env = env
        self._id = spec_id
        observations = flat_box(env.observation_space, "observation", spec_id)
        actions = flat_box(env.action_space, "action", spec_id)
        observation, info = env.reset(seed=seed)
        self._first = (seed, observation, info)
        self._fresh = True
        self._elapsed = 0
        # Older envs report coordinates with steps only: a signal is there always or never.
        self._coordinates = tuple(key for key in COORDINATES if key in info)
        dims = {name: value.size for name, value in self._signals(info).items()}
        self.spec = WorldSpec(observations, actions, dims, max_episode_steps)

    def reset(self, seed: int | None) -> tuple[Float[np.ndarray, "D"], Signals]:
        """Begin an episode; see `SingleWorld.reset`."""
        first_seed, observation, info = self._first
        if not self._fresh or seed not in (None, first_seed):
            observation, info = self._env.reset(seed=seed)
        self._fresh = False
        self._elapsed = 0
        return np.asarray(observation, dtype=np.float64).ravel(), self._signals(info)

    def step(self, action: Float[np.ndarray, "A"]) -> Step:
        """Take one control step, with the action in the env's own shape and dtype."""
        space = self._env.action_space
        shaped = action.reshape(space.shape).astype(space.dtype)
        observation, reward, terminated, truncated, info = self._env.step(shaped)
        self._elapsed += 1
        limit = self.spec.max_episode_steps
        return Step(
            np.asarray(observation, dtype=np.float64).ravel(),
            self._signals(info),
            float(reward),
            bool(terminated),
            bool(truncated) or (limit is not None and self._elapsed >= limit),
        )

    def _signals(self, info: Mapping[str, Any]) -> Signals:
        signals: Signals = {}
        named = info.get("signals", {})
        coordinates = [info[key] for key in self._coordinates if key in info]
        if coordinates and "position" not in named:
            signals["position"] = np.array(coordinates, dtype=np.float64).ravel()
        for name, value in named.items():
            signals[name] = np.asarray(value, dtype=np.float64).ravel().copy()
        return signals

    def picture(self, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
        """Draw the env's own picture, scaled to the size asked for."""
        if self._env.render_mode != "rgb_array":
            raise RenderingError(
                f"{self._id} draws no pictures: its class must list the render mode rgb_array in "
                "metadata and take the argument render_mode"
            )
        try:
            frame = self._env.render()
        except gymnasium.error.DependencyNotInstalled as error:
            raise RenderingError(f"{self._id} cannot draw: {error}") from error
        # Every OpenGL library fails in its own way when it is absent.
        except (ImportError, AttributeError, OSError, RuntimeError, gymnasium.error.Error) as error:
            raise RenderingError(f"{self._id} cannot draw ({error}): {INSTALL_HINT}") from error
        image = Image.fromarray(np.asarray(frame, dtype=np.uint8)).convert("RGB")
        return np.array(image.resize((width, height), Image.Resampling.BOX))

    def state_dict(self) -> dict[str, Any]:
        """All that changes, where the env gives it away; see `adapter_gymnasium_state`."""
        state = save_env_state(self._env, self._id)
        return {"env": state, "elapsed": self._elapsed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`."""
        load_env_state(self._env, self._id, state["env"])
        self._elapsed = int(state["elapsed"])
        self._fresh = False

    def close(self) -> None:
        """Close the env."""
        self._env.close()


@dataclass(frozen=True)
class GymnasiumRecipe:
    """How to make a `GymnasiumWorld` in any process.

    The registered spec itself travels to workers, so that they need no registration; its entry
    point must then be importable there.
    """

    spec_id: str
    source: EnvSpec | Callable[[], gymnasium.Env[Any, Any]]
    """A registered spec, or the user's own function that returns an env."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the env."""
    max_episode_steps: int | None = None
    """Replaces the spec's own limit unless None."""

    def make(self, seed: int | None) -> GymnasiumWorld:
        """Make the world.

        Raises:
            UnsuitableEnvError: if the env cannot be made with these options, or its spaces are
                not Boxes.
        """
        if not isinstance(self.source, EnvSpec):
            return GymnasiumWorld(self.source(), self.spec_id, seed, self.max_episode_steps)
        options = {"render_mode": _render_mode(self.source), **self.options}
        if options["render_mode"] is None:
            del options["render_mode"]
        try:
            # The adapter counts the steps itself, so that the count can be saved.
            env = gymnasium.make(
                self.source, max_episode_steps=-1, disable_env_checker=True, **options
            )
        except (TypeError, gymnasium.error.Error) as error:
            raise UnsuitableEnvError(f"{self.spec_id} cannot be made: {error}") from error
        limit = self.max_episode_steps or self.source.max_episode_steps
        return GymnasiumWorld(env, self.spec_id, seed, limit)

    def check_transport(self) -> None:
        """Raise UnsuitableEnvError if workers could not be told this recipe."""
        try:
            pickle.dumps(dataclasses.replace(self))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UnsuitableEnvError(
                f"{self.spec_id} cannot be sent to worker processes ({error}): use a class or "
                "function at the top level of an importable module, or workers=0"
            ) from error


def _render_mode(spec: EnvSpec) -> str | None:
    """`rgb_array` if the env says that it can, and takes the argument to do so."""
    creator = _load_creator(spec)
    modes = getattr(creator, "metadata", {}).get("render_modes") or []
    accepted = inspect.signature(creator).parameters.values()
    accepts = any(p.name == "render_mode" or p.kind == p.VAR_KEYWORD for p in accepted)
    return "rgb_array" if accepts and "rgb_array" in modes else None


def _load_creator(spec: EnvSpec) -> Any:
    if callable(spec.entry_point):
        return spec.entry_point
    if spec.entry_point is None:
        raise UnsuitableEnvError(f"gym/{spec.id} has no entry point for a single env")
    try:
        return load_env_creator(spec.entry_point)
    except (ImportError, AttributeError) as error:
        raise UnsuitableEnvError(f"gym/{spec.id} cannot be imported: {error}") from error
