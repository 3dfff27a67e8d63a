"""The contract of N worlds stepped together, whatever computes them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from jaxtyping import Bool, Float, UInt8

from envs.actions import check_actions

Seeds = int | Sequence[int | None] | None
Options = dict[str, Any] | None
Observations = Float[np.ndarray, "N D"]
Start = tuple[Observations, dict[str, Any]]
"""First observations and info."""
StepResult = tuple[
    Observations,
    Float[np.ndarray, "N"],
    Bool[np.ndarray, "N"],
    Bool[np.ndarray, "N"],
    dict[str, Any],
]
"""Observations, rewards, terminated, truncated and info."""
Picture = UInt8[np.ndarray, "H W 3"]


class VectorWorld(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N worlds of one task behind `gymnasium.vector.VectorEnv`, with same-step autoreset.

    At the end of an episode `step` already returns the next episode's first observation, while
    `info["final_obs"]` (N, D) keeps the last one of the old episode in the rows where
    `info["_final_obs"]` (N,) is True; both keys exist only in steps in which an episode ended.
    `info["signals"]` maps names to (N, d) arrays that belong to the returned observations, and
    `info["final_signals"]` to those of the final ones. Returned arrays belong to the caller.

    Args:
        spec_id: Id of the task, such as `dmc/cheetah-run`.
        num_envs: Number of worlds N.
        observation_space: Of a single world, a Box of shape (D,).
        action_space: Of a single world, a Box of shape (A,).
        signal_dims: Width d of every side signal, by name.
        max_episode_steps: Control steps until an episode is truncated; None for never.
    """

    metadata: dict[str, Any] = {
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
    }
    coverage_cell: float = 1.0
    """Side in m of the cells in which coverage of the signal `position` is counted; the task's."""
    observation_layout: Mapping[str, slice] | None = None
    """Names of the parts of the observation and where they lie; None where a world has no names."""

    def __init__(
        self,
        spec_id: str,
        num_envs: int,
        observation_space: gymnasium.spaces.Box,
        action_space: gymnasium.spaces.Box,
        signal_dims: Mapping[str, int],
        max_episode_steps: int | None,
    ) -> None:
        self.spec_id = spec_id
        self.num_envs = num_envs
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.signal_dims = dict(signal_dims)
        self.max_episode_steps = max_episode_steps
        self._ready = False
        self._action_box = action_space

    @abstractmethod
    def reset(self, *, seed: Seeds = None, options: Options = None) -> Start:
        """Begin new episodes and return their first observations (N, D).

        Args:
            seed: World i is seeded with `seed + i`, or with its own of a sequence; None lets every
                world go on with its random source.
            options: `{"reset_mask": mask}` resets only the worlds of the boolean mask (N,).
        """

    @abstractmethod
    def step(self, actions: Float[np.ndarray, "N A"]) -> StepResult:
        """Take one control step in every world: obs, reward, terminated, truncated, info.

        Raises:
            ValueError: for actions of the wrong shape or dtype, or not finite, naming the world;
                nothing is stepped then.
            RuntimeError: if no episode has begun, or the worlds are closed.
            PhysicsError: if a simulation breaks down.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All that changes: simulations, random sources, elapsed steps. Arrays are copies."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; what follows equals what followed then, bit for bit.

        Raises:
            ValueError: if `state` is of another task or another number of worlds.
        """

    @abstractmethod
    def render(  # type: ignore[override]
        self, world_index: int = 0, height: int = 240, width: int = 320
    ) -> Picture:
        """Draw one world as a uint8 picture of shape (height, width, 3).

        Raises:
            ValueError: if there is no such world, or the picture would have no pixels.
            RenderingError: if there is no OpenGL library to draw with.
        """

    def _worlds_to_reset(self, options: Options) -> Bool[np.ndarray, "N"]:
        """The worlds that `options` names; all of them where no episode goes on."""
        mask = read_reset_mask(options, self.num_envs)
        return mask if self._ready else np.ones(self.num_envs, dtype=bool)

    def _check_step(self, actions: Any) -> Float[np.ndarray, "N A"]:
        """The actions as an array, or the reason why they cannot be taken."""
        box = self._action_box
        if self.closed:
            raise RuntimeError("these worlds are closed: make them anew")
        checked = check_actions(actions, self.num_envs, box.shape[0], box.low, box.high)
        if not self._ready:
            raise RuntimeError("call reset() before the first step()")
        return checked

    def _check_saved(self, spec_id: str, num_envs: int) -> None:
        """Raise ValueError if a saved state is of another task or number of worlds."""
        if (spec_id, num_envs) != (self.spec_id, self.num_envs):
            raise ValueError(
                f"the saved state is of {num_envs} worlds of {spec_id}, "
                f"not of {self.num_envs} worlds of {self.spec_id}"
            )

    def _check_picture(self, world_index: int, height: int, width: int) -> None:
        """Raise ValueError if there is no such world or no such picture."""
        if not 0 <= world_index < self.num_envs:
            raise ValueError(f"world {world_index} does not exist: there are {self.num_envs}")
        if height < 1 or width < 1:
            raise ValueError(f"a picture has at least one pixel: got {height} x {width}")


def read_reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> Bool[np.ndarray, "N"]:
    """The worlds to reset: all of them unless `options` has a mask."""
    if not options or "reset_mask" not in options:
        return np.ones(num_envs, dtype=bool)
    mask = np.asarray(options["reset_mask"])
    if mask.shape != (num_envs,) or mask.dtype != bool:
        raise ValueError(
            f"options['reset_mask'] must be a boolean array of shape ({num_envs},), "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return mask
