"""Films by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envs.pixels.distractors.films.gas import gas_film
from envs.pixels.distractors.films.noise import noise_film
from envs.pixels.distractors.films.request import Film, FilmRequest, one_by_one
from envs.pixels.distractors.films.road import road_film
from envs.pixels.distractors.films.robot import robot_films
from envs.pixels.distractors.films.videos import video_films

VIDEOS = "videos"

FILMS: Mapping[str, Callable[[FilmRequest], list[Film]]] = {
    "robot": robot_films,
    "road": one_by_one(road_film),
    "noise": one_by_one(noise_film),
    "gas": one_by_one(gas_film),
    VIDEOS: video_films,
}


def describe_distractors() -> dict[str, str]:
    """Name to one line of description of every film."""
    return {name: (make.__doc__ or "").partition("\n")[0] for name, make in FILMS.items()}
