"""Another robot of the agent's own kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from envs.pixels.distractors.cameras import turn_camera
from envs.pixels.distractors.films.request import FilmRequest
from envs.pixels.optics import FREE

if TYPE_CHECKING:
    from envs.pixels.base import PixelRenderer

HOLD = 5
"""Control steps for which a random action is held: drawn anew each step, actions average out and
a heavy robot only trembles."""
ASIDE = np.deg2rad([3.0, 12.0, 0.0])
"""A film's camera is turned so far at most: else a camera that follows its robot would show both
robots at one place, one hidden by the other."""


def robot_films(request: FilmRequest) -> list[UInt8[np.ndarray, "T H W 3"]]:
    """The same robot in the same scene, acting at random: robot behind robot."""
    count = len(request.sources)
    films = np.empty((count, request.steps, request.height, request.width, 3), np.uint8)
    renderer = request.stage.make_renderer(request.height, request.width)
    world = request.stage.make_world(num_envs=count, extra_fields=renderer.fields)
    try:
        seeds = [int(source.integers(2**32)) for source in request.sources]
        space = world.single_action_space
        assert isinstance(space, gymnasium.spaces.Box)
        turns = np.stack([source.uniform(-ASIDE, ASIDE) for source in request.sources])
        world.reset(seed=seeds)
        for step in range(request.steps):
            films[:, step] = renderer.render(_aside(request, renderer, world.fields, turns))
            if step % HOLD == 0:
                actions = np.stack(
                    [source.uniform(space.low, space.high) for source in request.sources]
                )
            world.step(actions.astype(np.float32))
    finally:
        renderer.close()
        world.close()
    return list(films)


def _aside(
    request: FilmRequest, renderer: PixelRenderer, fields: Any, turns: Float[np.ndarray, "K 3"]
) -> Any:
    """The fields with turned cameras; the free camera stays as it is."""
    camera = request.stage.camera
    return fields if camera == FREE else turn_camera(fields, renderer.fields, camera, turns)
