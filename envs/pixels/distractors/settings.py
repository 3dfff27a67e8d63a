"""What distracts from the agent in its pictures."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from envs.pixels.distractors.registry import FILMS, VIDEOS

Split = Literal["train", "eval"]
SPLITS: tuple[Split, ...] = ("train", "eval")
WindowName = Literal["L1", "L2", "L3"]
WINDOWS: dict[WindowName, float] = {"L1": 32 / 64, "L2": 40 / 64, "L3": 64 / 64}
"""Side of a window as a share of the picture's: 32, 40 and 64 of 64 pixels (arXiv 2204.08585)."""


@dataclass(frozen=True)
class DistractorSettings:
    """A film behind the agent, and episodes seen through another camera or in other colours.

    Every switch is independent of the others, and all are off by default. The protocol (windows,
    a switch of film every 50 control steps) is that of InfoPower (arXiv 2204.08585), which used
    natural videos; results with the procedural films cannot be compared with those.

    Raises:
        ValueError: for a value out of range, naming the setting.
    """

    film: str | None = None
    """What is shown behind the agent: `robot`, `road`, `noise`, `gas`, `videos`; None for none."""
    videos: str | None = None
    """Folder of video files (mp4, avi, gif, ...) and folders of pictures, for the film `videos`."""
    window: WindowName | int = "L3"
    """Where the film shows: a window in the middle of 32 (L1), 40 (L2) or 64 (L3) pixels of 64,
    which grows with the picture; or the side of a square, in pixels."""
    floor: bool = True
    """Whether planes fixed to the world (floors, walls) count as background, as the sky does."""
    colour: bool = True
    """Whether the film is in colour, or grey."""
    split: Split = "train"
    """Which of two disjoint banks of films is shown: `train` or `eval`."""
    films: int = 16
    """Films in memory; of a folder of videos, at most so many."""
    film_steps: int = 100
    """Frames of a film, one a control step; of a video the first ones, if it has so many."""
    switch_steps: int = 50
    """Control steps after which another film, or another place in it, is shown."""
    bank_seed: int = 0
    """Of the bank; which film a world shows when follows from the world's own seed."""
    eval_share: float = 0.2
    """Share of the videos of a folder that are for `eval` only."""
    camera_jitter: float = 0.0
    """Degrees by which each episode's camera is turned at most, about each of its axes."""
    colour_jitter: float = 0.0
    """Share by which each episode's colours change at most, channel by channel: the contrast by
    this share of itself, the brightness by half this share of the full range."""

    def __post_init__(self) -> None:
        if self.film is not None and self.film not in FILMS:
            close = difflib.get_close_matches(self.film, FILMS, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"no film {self.film!r}: {hint}there are {', '.join(FILMS)}")
        if (self.film == VIDEOS) != (self.videos is not None):
            raise ValueError(
                f"distractors.film={VIDEOS} and distractors.videos=FOLDER belong together: "
                f"got film {self.film!r} and folder {self.videos!r}"
            )
        for name in ("films", "film_steps", "switch_steps"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"distractors.{name} must be at least 1, got {getattr(self, name)}"
                )
        if self.film_steps < self.switch_steps:
            raise ValueError(
                f"films of {self.film_steps} frames end before the next one is shown, after "
                f"{self.switch_steps} control steps: raise distractors.film_steps or lower "
                "distractors.switch_steps"
            )
        if self.split not in SPLITS:
            raise ValueError(f"distractors.split must be train or eval, got {self.split!r}")
        if self.bank_seed < 0:
            raise ValueError(f"distractors.bank_seed must not be negative, got {self.bank_seed}")
        if not 0 < self.eval_share < 1:
            raise ValueError(f"distractors.eval_share must be in (0, 1), got {self.eval_share}")
        if not 0 <= self.camera_jitter < 90:
            raise ValueError(
                f"distractors.camera_jitter must be in [0, 90) degrees, got {self.camera_jitter}"
            )
        if not 0 <= self.colour_jitter < 1:
            raise ValueError(
                f"distractors.colour_jitter must be in [0, 1), got {self.colour_jitter}"
            )

    @property
    def active(self) -> bool:
        """Whether anything changes in a picture."""
        return self.film is not None or self.camera_jitter > 0 or self.colour_jitter > 0

    def window_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the window in a picture of `height` by `width` pixels.

        Raises:
            ValueError: if the picture is smaller than the window, or the window has no pixel.
        """
        if isinstance(self.window, str):
            if self.window not in WINDOWS:
                known = ", ".join(WINDOWS)
                raise ValueError(
                    f"distractors.window must be {known} or pixels, got {self.window!r}"
                )
            share = WINDOWS[self.window]
            return max(round(share * height), 1), max(round(share * width), 1)
        if not 1 <= self.window <= min(height, width):
            raise ValueError(
                f"a window of {self.window} x {self.window} pixels does not fit into a picture of "
                f"{height} x {width}: lower distractors.window to at most {min(height, width)}, or "
                "raise height and width"
            )
        return self.window, self.window
