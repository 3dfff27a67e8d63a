"""The arrays that compiled functions share, grouped under names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from envs.pixels.raycast.columns import (
    AMBIENT,
    GRID,
    LIGHT_COLUMNS,
    PRIMITIVE_COLUMNS,
    REACH,
    RGB,
    SIZE,
    TEXTURE_SCALE,
)
from envs.pixels.raycast.surfaces import HERE
from envs.pixels.scene import Scene


class Stage(NamedTuple):
    """What a model and a camera's optics fix once for all pictures."""

    kinds: Any
    """mjtGeom of each primitive, int32 (P,)."""
    origins: Any
    """Source and index of each primitive, int32 (P, 2)."""
    labels: Any
    """What masks call it, int32 (P,)."""
    textures: Any
    """Texture, -1 for none, and whether it is a cube, int32 (P, 2)."""
    texels: Any
    """Colours of all textures, float32 (K, 3)."""
    levels: Any
    """First texel, width and height of each texture's levels, int32 (T, V, 3)."""
    rays_x: Any
    """Slopes of the columns' rays, float32 (W,)."""
    rays_y: Any
    """Slopes of the rows' rays, from the top, float32 (H,)."""
    step: Any
    """Slope from pixel to pixel."""
    near: Any
    """Nothing nearer is drawn, m."""
    far: Any
    """Nothing farther is drawn, m."""
    sky: Any
    """Colours of the sky's six faces at the size of a pixel, float32 (6·E·E, 3)."""
    sky_edge: int
    """E; 0 for a black sky."""
    shadows: bool
    reflections: bool
    camera: int


class Pose(NamedTuple):
    """Where everything is in N worlds: MuJoCo's fields, float64 (N, ...)."""

    geom_xpos: Any
    geom_xmat: Any
    site_xpos: Any
    site_xmat: Any
    cam_xpos: Any
    cam_xmat: Any
    light_xpos: Any
    light_xdir: Any
    tendons: Any
    """Ends of each tendon's segments, float64 (N, G, 2, 3)."""


class Workspace(NamedTuple):
    """What drawing one picture needs beside the picture."""

    table: Any
    lights: Any
    mirrored_table: Any
    mirrored_lights: Any
    depth: Any
    shown: Any
    other_depth: Any
    """Of reflections and of what shines through, as `depth` of what is solid."""
    other_shown: Any
    windows: Any
    bounds: Any
    order: Any
    """Transparent primitives, from the nearest on, and their distance."""
    tags: Any
    lit: Any
    colours: Any


def make_workspace(scene: Scene, height: int, width: int) -> Workspace:
    """A workspace for pictures of a scene, with all that never changes filled in."""
    primitives, lights = len(scene.kind), len(scene.light_constants)
    real = np.float32
    table = np.zeros((primitives, PRIMITIVE_COLUMNS), real)
    table[:, SIZE : SIZE + 3] = scene.size
    table[:, REACH] = np.linalg.norm(scene.size, axis=1)
    table[:, RGB : RGB + 8] = scene.material
    table[:, TEXTURE_SCALE : TEXTURE_SCALE + 3] = scene.texture_scale
    table[:, GRID : GRID + 6] = scene.grid.reshape(-1, 6)
    light_table = np.zeros((lights, LIGHT_COLUMNS), real)
    light_table[:, AMBIENT:] = scene.light_constants
    return Workspace(
        table=table,
        lights=light_table,
        mirrored_table=table.copy(),
        mirrored_lights=light_table.copy(),
        depth=np.zeros((height, width), real),
        shown=np.zeros((height, width), np.int32),
        other_depth=np.zeros((height, width), real),
        other_shown=np.zeros((height, width), np.int32),
        windows=np.zeros((primitives, 4), np.int64),
        bounds=np.zeros((4,), real),
        order=np.zeros((primitives, 2), real),
        tags=np.full((HERE,), -1, np.int64),
        lit=np.zeros((HERE + 1, 1 + lights, 3), real),
        colours=np.zeros((height, width, 3), real),
    )
