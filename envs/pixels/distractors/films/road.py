"""A drive along a road: everything streams out of one point, the nearer the faster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from envs.pixels.distractors.films.road_objects import Roadside, draw_objects, make_roadside

EYE_HEIGHT = 1.4
"""Of the camera above the road, m."""
HORIZON = 0.42
"""Share of the picture's rows above the horizon."""
FOCAL = 0.8
"""Focal length in widths of the picture."""
HALF_ROAD = 3.6
"""m."""
FADE = 45.0
"""Distance after which the ground has lost most of its contrast, m."""
RIDGES = ((0.5, 0.16), (0.9, 0.09))
"""Of two chains of hills: how much of the camera's sway they follow, their height in heights of
the picture."""


@dataclass(frozen=True)
class Drive:
    """One film's road, colours and ride."""

    speed: float
    """m a frame."""
    sway: Float[np.ndarray, "T"]
    """Where the road vanishes, widths from the middle."""
    grass: Float[np.ndarray, "2 3"]
    asphalt: Float[np.ndarray, "3"]
    sky: Float[np.ndarray, "2 3"]
    """At the top and at the horizon."""
    hills: Float[np.ndarray, "2 3"]
    outlines: Float[np.ndarray, "2 4 2"]
    """Amplitude and phase of the waves that each chain of hills is made of."""


def road_film(
    source: np.random.Generator, frames: int, height: int, width: int
) -> UInt8[np.ndarray, "T H W 3"]:
    """A drive along a road with trees, posts and cars: flow in perspective, with parallax."""
    drive, roadside = _make_drive(source, frames), make_roadside(source)
    film = np.empty((frames, height, width, 3), np.uint8)
    for t in range(frames):
        film[t] = _draw(drive, roadside, t, height, width)
    return film


def _make_drive(source: np.random.Generator, frames: int) -> Drive:
    period, phase = source.uniform(60, 160), source.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * np.arange(frames) / period + phase)
    tint = source.uniform(0.75, 1.1, 3)
    green = np.array([[88.0, 132.0, 62.0], [66.0, 108.0, 48.0]])
    top = np.array([70.0, 120.0, 200.0]) * source.uniform(0.6, 1.1)
    hills = np.array([[110.0, 120.0, 150.0], [70.0, 95.0, 85.0]]) * tint
    waves = np.stack([source.uniform(0.3, 1, (2, 4)), source.uniform(0, 2 * np.pi, (2, 4))], -1)
    return Drive(
        speed=float(source.uniform(0.35, 0.8)),
        sway=source.uniform(0.05, 0.14) * wave,
        grass=green * tint,
        asphalt=np.full(3, source.uniform(70, 110)),
        sky=np.clip(np.stack([top, top + 70]), 0, 255),
        hills=hills,
        outlines=waves,
    )


def _draw(
    drive: Drive, roadside: Roadside, t: int, height: int, width: int
) -> UInt8[np.ndarray, "H W 3"]:
    picture = np.empty((height, width, 3))
    horizon = round(HORIZON * height)
    _draw_sky(drive, t, picture, horizon)
    _draw_ground(drive, t, picture, horizon)
    centre = (0.5 + drive.sway[t]) * width
    draw_objects(roadside, picture, t, drive.speed, centre, horizon, FOCAL * width, EYE_HEIGHT)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _draw_sky(drive: Drive, t: int, picture: Float[np.ndarray, "H W 3"], horizon: int) -> None:
    height, width = picture.shape[:2]
    share = np.linspace(0, 1, horizon)[:, None, None]
    picture[:horizon] = (1 - share) * drive.sky[0] + share * drive.sky[1]
    rows = np.arange(horizon)[:, None]
    for colour, outline, (follow, tall) in zip(drive.hills, drive.outlines, RIDGES, strict=True):
        across = (np.arange(width) + 0.5) / width - follow * drive.sway[t]
        waves = np.arange(1, 5)[:, None]
        angles = 2 * np.pi * waves * across / 1.5 + outline[:, 1:]
        shape = (outline[:, :1] / waves * np.sin(angles)).sum(axis=0)
        top = horizon - height * tall * (0.6 + 0.4 * shape)
        picture[:horizon][rows >= top] = colour


def _draw_ground(drive: Drive, t: int, picture: Float[np.ndarray, "H W 3"], horizon: int) -> None:
    height, width = picture.shape[:2]
    below = np.arange(horizon, height) + 0.5 - horizon
    ahead = (FOCAL * width * EYE_HEIGHT / below)[:, None]
    side = (np.arange(width) + 0.5 - (0.5 + drive.sway[t]) * width) * ahead / (FOCAL * width)
    place = ahead + drive.speed * t
    clear = np.exp(-ahead / FADE)[..., None]
    band = (np.mod(place, 8) < 4)[..., None]
    mean = drive.grass.mean(axis=0)
    grass = mean + clear * (np.where(band, drive.grass[0], drive.grass[1]) - mean)
    patch = (np.mod(place, 16) < 8)[..., None]
    asphalt = drive.asphalt + clear * np.where(patch, 6.0, -6.0)
    # A line is at least a pixel wide.
    half = np.maximum(0.14, 0.5 * ahead / (FOCAL * width))
    dash = (np.abs(side) < half) & (np.mod(place, 6) < 3)
    line = dash | (np.abs(np.abs(side) - HALF_ROAD + 0.3) < half)
    on_road = (np.abs(side) < HALF_ROAD)[..., None]
    ground = np.where(on_road, asphalt, grass)
    white = (line[..., None] & on_road) * clear
    picture[horizon:] = ground + white * (235.0 - ground)
