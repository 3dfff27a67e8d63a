"""Pictures of worlds with distractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from envs.pixels.base import PixelRenderer
from envs.pixels.distractors.bank import FilmBank, make_bank
from envs.pixels.distractors.cameras import turn_camera
from envs.pixels.distractors.clock import Clock
from envs.pixels.distractors.compositing import (
    background_table,
    colour_tables,
    put_behind,
    recolour,
)
from envs.pixels.distractors.films.request import Stage
from envs.pixels.distractors.settings import DistractorSettings
from envs.pixels.optics import FREE


class DistractedView:
    """Draws N worlds with a film behind each, through turned cameras, in changed colours.

    What MuJoCo's segmentation says is not background keeps the renderer's very pixels, as does all
    outside the window; only a change of colours is of the whole picture, and comes last. Shadows
    and mirror images of the agent on a floor that counts as background give way to the film.

    Args:
        renderer: Draws and segments; not closed with this.
        stage: The agent's task.
        settings: What to show.
        seeds: One for each world; None draws it from the operating system.

    Raises:
        ValueError: for a window that does not fit, a folder of videos that cannot be used, or
            camera jitter of the free camera, which no simulation moves.
    """

    def __init__(
        self,
        renderer: PixelRenderer,
        stage: Stage,
        settings: DistractorSettings,
        seeds: Sequence[int | None],
    ) -> None:
        if settings.camera_jitter and stage.camera == FREE:
            raise ValueError(
                "the free camera cannot be turned: set distractors.camera_jitter to 0, or camera "
                "to one of the model's own"
            )
        self._renderer, self._camera, self._settings = renderer, stage.camera, settings
        rows, columns = settings.window_size(renderer.height, renderer.width)
        self._top, self._left = (renderer.height - rows) // 2, (renderer.width - columns) // 2
        self._background = background_table(stage.model, settings.floor)
        self.bank: FilmBank | None = None
        if settings.film is not None:
            self.bank = make_bank(settings, stage, rows, columns)
        self._digest = "" if self.bank is None else self.bank.digest()
        self.clock = Clock(seeds, settings.switch_steps)

    def draw(
        self,
        data: Any,
        worlds: Int[np.ndarray, "M"] | slice = slice(None),
        out: UInt8[np.ndarray, "M H W 3"] | None = None,
    ) -> UInt8[np.ndarray, "M H W 3"]:
        """Draw fields (M, ...) of the given worlds, into `out` if given."""
        settings, clock = self._settings, self.clock
        if settings.camera_jitter:
            angles = np.deg2rad(settings.camera_jitter) * clock.turns[worlds]
            data = turn_camera(data, self._renderer.fields, self._camera, angles)
        frames = self._renderer.render(data, out)
        if self.bank is not None:
            masks = self._renderer.segment(data)
            shown = self.bank.at(clock.picks[worlds], clock.steps[worlds], settings.switch_steps)
            films = self.bank.frames
            put_behind(frames, masks, self._background, films, shown, self._top, self._left)
        if settings.colour_jitter:
            recolour(frames, colour_tables(clock.colours[worlds], settings.colour_jitter))
        return frames

    def state_dict(self) -> dict[str, Any]:
        """All that changes, as copies."""
        return {"clock": self.clock.state_dict(), "films": self._digest}

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise ValueError if `state` was saved with other films."""
        if state["films"] != self._digest:
            raise ValueError(
                "the films are not those that the state was saved with: use the same distractor "
                "settings and the same videos"
            )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; raises ValueError if it was saved with other films."""
        self.check(state)
        self.clock.load_state_dict(state["clock"])
