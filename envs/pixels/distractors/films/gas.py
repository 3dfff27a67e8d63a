"""An ideal gas in a box: discs that fly straight, pass through each other and bounce off walls."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

PARTICLES = 24
RADIUS = (0.03, 0.07)
"""Of a disc, in sides of the box."""
TYPICAL_SPEED = 0.012
"""Standard deviation of each component of the velocity, sides of the box a frame."""


def gas_film(
    source: np.random.Generator, frames: int, height: int, width: int
) -> UInt8[np.ndarray, "T H W 3"]:
    """An ideal gas: coloured discs that fly straight and bounce off the walls."""
    places = gas_places(source, frames, PARTICLES)
    radii = source.uniform(*RADIUS, PARTICLES)
    colours = source.uniform(60, 255, (PARTICLES, 3))
    side = min(height, width)
    margin = int(np.ceil(RADIUS[1] * side)) + 2
    film = np.empty((frames, height + 2 * margin, width + 2 * margin, 3), np.float32)
    film[...] = source.uniform(0, 60, 3)
    centres = places * (height, width) + margin
    for particle in range(PARTICLES):
        _draw_disc(film, centres[:, particle], radii[particle] * side, colours[particle])
    inside = film[:, margin : margin + height, margin : margin + width]
    return np.rint(inside).astype(np.uint8)


def _draw_disc(
    film: Float[np.ndarray, "T H W 3"],
    centres: Float[np.ndarray, "T 2"],
    radius: float,
    colour: Float[np.ndarray, "3"],
) -> None:
    """Draw one disc in every frame; its edge is a pixel wide, so that slow discs move smoothly."""
    reach = int(np.ceil(radius)) + 1
    near = np.arange(-reach, reach + 1)
    rows = (np.floor(centres[:, :1]).astype(int) + near)[:, :, None]
    columns = (np.floor(centres[:, 1:]).astype(int) + near)[:, None, :]
    down, across = rows + 0.5 - centres[:, :1, None], columns + 0.5 - centres[:, 1:, None]
    cover = np.clip(radius - np.hypot(down, across) + 0.5, 0, 1)[..., None]
    at = np.arange(len(film))[:, None, None], rows, columns
    film[at] += cover * (colour - film[at])


def gas_places(
    source: np.random.Generator, frames: int, particles: int
) -> Float[np.ndarray, "T P 2"]:
    """Places in the unit square over time, of particles that never meet one another.

    Velocities are normal in each component, as in a gas at rest (Maxwell); walls turn a component
    around, so that every particle keeps its speed.
    """
    start = source.uniform(0, 1, (particles, 2))
    velocity = source.normal(0, TYPICAL_SPEED, (particles, 2))
    free = start + np.arange(frames)[:, None, None] * velocity
    # Bouncing between two walls is flying straight through mirrored boxes.
    return 1 - np.abs(np.mod(free, 2) - 1)
