"""Native worlds observed through pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.vector.utils import batch_space
from jaxtyping import Bool, Float, UInt8

from envs.backends.batch import BatchWorld
from envs.pixels.base import PixelRenderer
from envs.pixels.distractors.films.request import Stage
from envs.pixels.optics import find_camera
from envs.pixels.registry import make_renderer
from envs.pixels.repeat import ActionRepeat
from envs.pixels.settings import PixelSettings
from envs.pixels.stack import FrameStack
from envs.seeding import spread_seeds
from envs.vector_world import Options, Picture, Seeds, VectorWorld

if TYPE_CHECKING:
    from envs.pixels.distractors.view import DistractedView

Observation = Any
"""uint8 (N, C, H, W), or a dict of `pixels` and `state` (N, D)."""


class PixelWorld(VectorWorld):
    """N native worlds whose observations are the latest pictures, with an action repeat.

    Observations are uint8 (N, C, H, W) with C = 3·K channels, the newest picture last; with
    `settings.state` a dict of these `pixels` and the task's own `state` (N, D). An episode begins
    with K equal pictures. Rewards are summed over the repeats of an action, until the episode
    ends; `final_obs` and `final_signals` keep the contract of `VectorWorld`. A picture shows what
    the task's derived fields describe: of `gym/` tasks one physics step ago, as in Gymnasium.

    Args:
        world: Steps; must expose the renderer's fields.
        renderer: Draws; closed with this world.
        settings: Of the observations.
        view: Draws with distractors, where `settings.distractors` asks for any.
    """

    def __init__(
        self,
        world: BatchWorld,
        renderer: PixelRenderer,
        settings: PixelSettings,
        view: DistractedView | None = None,
    ) -> None:
        limit = world.max_episode_steps
        steps = None if limit is None else -(-limit // settings.action_repeat)
        count, height, width = world.num_envs, settings.height, settings.width
        shape = (3 * settings.frame_stack, height, width)
        pixels = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        actions = world.single_action_space
        assert isinstance(actions, gymnasium.spaces.Box)
        super().__init__(world.spec_id, count, pixels, actions, world.signal_dims, steps)
        if settings.state:
            spaces = {"pixels": pixels, "state": world.single_observation_space}
            self.single_observation_space = gymnasium.spaces.Dict(spaces)
            self.observation_space = batch_space(self.single_observation_space, count)
        self.coverage_cell = world.coverage_cell
        self.observation_layout = world.observation_layout
        self.world, self.renderer, self.settings = world, renderer, settings
        self._view = view
        self._repeat = ActionRepeat(world, settings.action_repeat)
        self._stack = FrameStack(count, settings.frame_stack, height, width)
        self._frames = np.empty((count, height, width, 3), np.uint8)

    def reset(
        self, *, seed: Seeds = None, options: Options = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin new episodes; see `VectorWorld.reset`."""
        mask = self._worlds_to_reset(options)
        state, info = self.world.reset(seed=seed, options=options)
        if self._view is not None:
            self._view.clock.seed(mask, spread_seeds(seed, self.num_envs))
            self._view.clock.begin(mask)
        self._stack.begin(mask, self._draw())
        self._ready = True
        return self._observation(state), info

    def step(
        self, actions: Float[np.ndarray, "N A"]
    ) -> tuple[
        Observation,
        Float[np.ndarray, "N"],
        Bool[np.ndarray, "N"],
        Bool[np.ndarray, "N"],
        dict[str, Any],
    ]:
        """Take `action_repeat` control steps in every world; see `VectorWorld.step`."""
        state, reward, terminated, truncated, info = self._repeat.step(actions)
        if self._view is not None:
            self._view.clock.advance(self.settings.action_repeat)
        if "_final_obs" not in info:
            self._stack.push(self._draw())
            return self._observation(state), reward, terminated, truncated, info
        ended = info["_final_obs"]
        last = self._last_frames(ended)
        if self._view is not None:
            self._view.clock.begin(ended)
        frames = self._draw()
        first = frames.copy()
        frames[ended] = last
        self._stack.push(frames)
        info["final_obs"] = self._observation(info["final_obs"])
        self._stack.begin(ended, first)
        return self._observation(state), reward, terminated, truncated, info

    def _draw(self) -> UInt8[np.ndarray, "N H W 3"]:
        """Pictures of the worlds as they are; the next call overwrites them."""
        if self._view is not None:
            return self._view.draw(self.world.fields, out=self._frames)
        return self.renderer.render(self.world.fields, self._frames)

    def _last_frames(self, ended: Bool[np.ndarray, "N"]) -> UInt8[np.ndarray, "M H W 3"]:
        """Pictures of the ends of episodes, in ascending order of the worlds."""
        frames = np.empty((self.num_envs, *self._frames.shape[1:]), np.uint8)
        for worlds, fields in self._repeat.ends:
            if self._view is not None:
                frames[worlds] = self._view.draw(fields, worlds)
            else:
                frames[worlds] = self.renderer.render(fields)
        return frames[ended]

    def _observation(self, state: Float[np.ndarray, "N D"]) -> Observation:
        pixels = self._stack.observe()
        return {"pixels": pixels, "state": state} if self.settings.state else pixels

    def state_dict(self) -> dict[str, Any]:
        """All that changes; see `VectorWorld.state_dict`."""
        saved = {"world": self.world.state_dict(), "pictures": self._stack.pictures.copy()}
        if self._view is not None:
            saved["distractors"] = self._view.state_dict()
        return {**saved, "ready": self._ready}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; see `VectorWorld.load_state_dict`."""
        pictures = np.asarray(state["pictures"])
        if pictures.shape != self._stack.pictures.shape:
            raise ValueError(
                f"the saved pictures have shape {pictures.shape}, "
                f"not {self._stack.pictures.shape}: use the settings that they were saved with"
            )
        if (self._view is None) != ("distractors" not in state):
            raise ValueError("the state was saved with other distractor settings: use the same")
        if self._view is not None:
            self._view.check(state["distractors"])
        self.world.load_state_dict(state["world"])
        if self._view is not None:
            self._view.load_state_dict(state["distractors"])
        self._stack.pictures[...] = pictures
        self._ready = bool(state["ready"])

    def render(  # type: ignore[override]
        self, world_index: int = 0, height: int = 240, width: int = 320
    ) -> Picture:
        """Draw one world with OpenGL; see `VectorWorld.render`."""
        return self.world.render(world_index, height, width)

    def close_extras(self, **kwargs: Any) -> None:
        """Free the simulations and the renderer."""
        self.renderer.close()
        self.world.close()


def make_pixel_world(
    make_world: Callable[..., BatchWorld], pixels: bool | PixelSettings
) -> PixelWorld:
    """Make worlds that expose what the renderer draws from, and observe them.

    Raises:
        ValueError: for settings of another kind, or what the renderer or the distractors refuse.
    """
    settings = PixelSettings() if pixels is True else pixels
    if not isinstance(settings, PixelSettings):
        raise ValueError(f"pixels must be a bool or PixelSettings, got {pixels!r}")
    task = make_world.args[0]  # type: ignore[attr-defined]
    camera = settings.camera
    size = settings.height, settings.width
    renderer = make_renderer(settings.renderer, task.model, *size, camera)
    view = None
    if settings.distractors.active:
        # Before the worlds, so that a folder of videos that cannot be used is refused at once.
        view = _make_view(make_world, task.model, renderer, settings)
    return PixelWorld(make_world(extra_fields=renderer.fields), renderer, settings, view)


def _make_view(
    make_world: Callable[..., BatchWorld],
    model: mujoco.MjModel,
    renderer: PixelRenderer,
    settings: PixelSettings,
) -> DistractedView:
    """What draws the worlds with distractors, with a random source for each of them."""
    # Here, because it compiles what only distractors need.
    from envs.pixels.distractors.view import DistractedView

    def draw_films(height: int, width: int) -> PixelRenderer:
        return make_renderer(settings.renderer, model, height, width, settings.camera)

    options = make_world.keywords  # type: ignore[attr-defined]
    seeds = spread_seeds(options.get("seed"), options.get("num_envs", 1))
    stage = Stage(model, find_camera(model, settings.camera), make_world, draw_films)
    return DistractedView(renderer, stage, settings.distractors, seeds)
