"""Films kept in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from envs.pixels.distractors.films.request import Film, FilmRequest, Stage
from envs.pixels.distractors.registry import FILMS
from envs.pixels.distractors.settings import SPLITS, DistractorSettings

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True)
class FilmBank:
    """K films one after the other in one array."""

    frames: UInt8[np.ndarray, "F H W 3"]
    starts: Int[np.ndarray, "K"]
    """First frame of each film."""
    lengths: Int[np.ndarray, "K"]
    """Frames of each film."""

    @property
    def megabytes(self) -> float:
        """Memory, in 10⁶ bytes."""
        return self.frames.nbytes / 1e6

    def digest(self) -> str:
        """Tells banks with other frames apart."""
        hashed = hashlib.blake2b(self.frames.data, digest_size=16)
        hashed.update(self.lengths.tobytes())
        return hashed.hexdigest()

    def at(
        self, picks: Float[np.ndarray, "N 2"], steps: Int[np.ndarray, "N"], shown: int
    ) -> Int[np.ndarray, "N"]:
        """Frames in the array.

        Args:
            picks: Which film, and where in it to begin, each in [0, 1).
            steps: Control steps since then, below `shown`.
            shown: Control steps for which films are shown.
        """
        film = (picks[:, 0] * len(self.starts)).astype(np.int64)
        first = (picks[:, 1] * (self.lengths[film] - shown + 1)).astype(np.int64)
        return self.starts[film] + first + steps


def make_bank(settings: DistractorSettings, stage: Stage, height: int, width: int) -> FilmBank:
    """Make the films of `settings` for a window of `height` by `width` pixels.

    Film k of a split depends on the bank's seed, the split and k alone.

    Raises:
        ValueError: for a folder of videos that cannot be used.
    """
    assert settings.film is not None
    request = FilmRequest(
        sources=film_sources(settings),
        steps=settings.film_steps,
        height=height,
        width=width,
        stage=stage,
        folder=settings.videos,
        evaluation=settings.split == "eval",
        eval_share=settings.eval_share,
        folder_seed=settings.bank_seed,
        least_steps=settings.switch_steps,
    )
    films = FILMS[settings.film](request)
    if not settings.colour:
        films = [_grey(film) for film in films]
    lengths = np.array([len(film) for film in films])
    return FilmBank(np.concatenate(films), np.cumsum(lengths) - lengths, lengths)


def film_sources(settings: DistractorSettings) -> list[np.random.Generator]:
    """One random source for each film; those of the two splits have nothing in common."""
    split = SPLITS.index(settings.split)
    return [
        np.random.default_rng(np.random.SeedSequence(settings.bank_seed, spawn_key=(split, film)))
        for film in range(settings.films)
    ]


def _grey(film: Film) -> Film:
    grey = np.rint(film.astype(np.float32) @ LUMINANCE).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)
