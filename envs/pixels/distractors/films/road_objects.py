"""What stands beside a road and what drives on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

AHEAD = 80.0
"""The same objects come again after so far, m."""
NEAREST = 2.0
"""Objects nearer than that are behind the picture's edge, m."""
TREES = 14
POSTS = 10
CARS = 4
HAZE = 60.0
"""Distance over which colours fade by a factor e, m."""
HAZE_COLOUR = np.array([170.0, 180.0, 195.0])


@dataclass(frozen=True)
class Part:
    """One flat shape of an object, m, relative to where it stands."""

    left: float
    right: float
    bottom: float
    top: float
    colour: Float[np.ndarray, "3"]
    round: bool = False
    """An ellipse, not a rectangle."""


@dataclass(frozen=True)
class RoadObject:
    """What stands or drives at one place."""

    side: float
    """To the right of the road's middle, m."""
    start: float
    """Along the road at the first frame, m."""
    speed: float
    """Along the road, m a frame."""
    parts: tuple[Part, ...]


Roadside = tuple[RoadObject, ...]


def make_roadside(source: np.random.Generator) -> Roadside:
    """Trees and posts beside the road, cars on it."""
    trees = [_tree(source) for _ in range(TREES)]
    posts = [_post(source, k) for k in range(POSTS)]
    cars = [_car(source) for _ in range(CARS)]
    return (*trees, *posts, *cars)


def draw_objects(
    roadside: Roadside,
    picture: Float[np.ndarray, "H W 3"],
    t: int,
    speed: float,
    centre: float,
    horizon: int,
    focal: float,
    eye: float,
) -> None:
    """Draw the objects over the picture, the farthest first.

    Args:
        roadside: The objects.
        picture: Drawn into.
        t: Frame.
        speed: Of the camera, m a frame.
        centre: Column where the road vanishes.
        horizon: Row of the horizon.
        focal: Focal length, pixels.
        eye: Height of the camera, m.
    """
    distances = [np.mod(item.start + (item.speed - speed) * t, AHEAD) for item in roadside]
    for k in np.argsort(distances)[::-1]:
        item, distance = roadside[k], float(distances[k])
        if distance < NEAREST:
            continue
        scale, near = focal / distance, math.exp(-distance / HAZE)
        for part in item.parts:
            sides = (part.left + item.side, part.right + item.side)
            columns = centre + scale * sides[0], centre + scale * sides[1]
            rows = horizon + scale * (eye - part.top), horizon + scale * (eye - part.bottom)
            colour = near * part.colour + (1 - near) * HAZE_COLOUR
            _fill(picture, rows, columns, colour, part.round)


def _fill(
    picture: Float[np.ndarray, "H W 3"],
    rows: tuple[float, float],
    columns: tuple[float, float],
    colour: Float[np.ndarray, "3"],
    is_round: bool,
) -> None:
    height, width = picture.shape[:2]
    top, bottom = (min(max(round(row), 0), height) for row in rows)
    left, right = (min(max(round(column), 0), width) for column in columns)
    if top >= bottom or left >= right:
        return
    area = picture[top:bottom, left:right]
    if is_round:
        area[_ellipse(rows, columns, top, bottom, left, right)] = colour
    else:
        area[...] = colour


def _ellipse(
    rows: tuple[float, float],
    columns: tuple[float, float],
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> Bool[np.ndarray, "h w"]:
    down = (np.arange(top, bottom) + 0.5 - sum(rows) / 2) / (0.5 * (rows[1] - rows[0]))
    across = (np.arange(left, right) + 0.5 - sum(columns) / 2) / (0.5 * (columns[1] - columns[0]))
    return down[:, None] ** 2 + across[None, :] ** 2 <= 1.0


def _tree(source: np.random.Generator) -> RoadObject:
    tall, wide = source.uniform(3.5, 7), source.uniform(1.2, 2.2)
    side = source.choice([-1.0, 1.0]) * source.uniform(5.5, 14)
    green = np.array([40.0, 92.0, 38.0]) * source.uniform(0.6, 1.3)
    trunk = Part(-0.2, 0.2, 0.0, 0.5 * tall, np.array([82.0, 58.0, 40.0]))
    crown = Part(-wide, wide, 0.35 * tall, tall, green, round=True)
    return RoadObject(float(side), float(source.uniform(0, AHEAD)), 0.0, (trunk, crown))


def _post(source: np.random.Generator, k: int) -> RoadObject:
    side = 4.4 if k % 2 else -4.4
    pole = Part(-0.08, 0.08, 0.0, 1.1, np.array([235.0, 235.0, 235.0]))
    cap = Part(-0.08, 0.08, 0.8, 1.0, source.uniform([180, 20, 20], [240, 120, 40]))
    return RoadObject(side, (k + 0.5) * AHEAD / POSTS, 0.0, (pole, cap))


def _car(source: np.random.Generator) -> RoadObject:
    oncoming = bool(source.integers(2))
    speed = -source.uniform(0.3, 0.6) if oncoming else source.uniform(0.1, 1.3)
    side = -1.8 if oncoming else 1.8
    paint, black = source.uniform(30, 240, 3), np.full(3, 25.0)
    lamp = np.array([250.0, 245.0, 200.0]) if oncoming else np.array([225.0, 30.0, 30.0])
    parts = (
        Part(-0.9, -0.55, 0.0, 0.4, black),
        Part(0.55, 0.9, 0.0, 0.4, black),
        Part(-0.95, 0.95, 0.25, 0.9, paint),
        Part(-0.75, 0.75, 0.9, 1.45, 0.7 * paint),
        Part(-0.6, 0.6, 0.95, 1.35, np.array([60.0, 75.0, 95.0])),
        Part(-0.9, -0.6, 0.55, 0.75, lamp),
        Part(0.6, 0.9, 0.55, 0.75, lamp),
    )
    return RoadObject(side, float(source.uniform(0, AHEAD)), float(speed), parts)
