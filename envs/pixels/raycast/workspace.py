"""The arrays that compiled functions share, grouped under names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from envs.pixels.raycast.chunks import BLOCK, CHUNK, ROWS, WHOLE_ROWS
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
from envs.pixels.raycast.rays import CAPSULE, ELLIPSOID, SPHERE
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
    """Colours of all textures, packed, int32 (K,)."""
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
    points: Any
    """A chunk of the points that are being painted."""
    whole: Any
    """Whole numbers of these points."""
    places: Any
    """Where they are in the picture."""
    reaches: Any
    """Where each light lets each primitive's shadow fall, (L, P, 4)."""
    blocks: Any
    """Where each block of points is."""
    vertices: Any
    """A chunk of a plane's vertices."""
    names: Any
    """Which vertices they are."""
    stamps: Any
    """Number of the last painting, and of the one in which each vertex was lit."""
    lit: Any
    """Light of each vertex, (V, 1 + L, 3)."""
    sky: Any
    """The sky's picture, for a camera that is turned as `sky_camera`."""
    sky_camera: Any
    colours: Any
    """The picture, (H·W·3,)."""


def make_workspace(scene: Scene, height: int, width: int) -> Workspace:
    """A workspace for pictures of a scene, with all that never changes filled in."""
    primitives, lights = len(scene.kind), len(scene.light_constants)
    real = np.float32
    # Painting begins each plane anew, so that all planes share the vertices of the largest.
    corners = int(np.prod(scene.grid[:, :, 0] + 1, axis=1).max(initial=0))
    table = np.zeros((primitives, PRIMITIVE_COLUMNS), real)
    table[:, SIZE : SIZE + 3] = scene.size
    table[:, REACH] = find_reach(scene)
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
        points=np.zeros((ROWS * CHUNK,), real),
        whole=np.zeros((WHOLE_ROWS * CHUNK,), np.int32),
        places=np.zeros((CHUNK,), np.int64),
        reaches=np.zeros((lights, primitives, 4), real),
        blocks=np.zeros((CHUNK // BLOCK, 4), real),
        vertices=np.zeros((ROWS * CHUNK,), real),
        names=np.zeros((CHUNK,), np.int64),
        stamps=np.zeros((1 + corners,), np.int64),
        lit=np.zeros((corners, 1 + lights, 3), real),
        sky=np.zeros((height * width * 3,), real),
        sky_camera=np.full((9,), np.nan),
        colours=np.zeros((height * width * 3,), real),
    )


def find_reach(scene: Scene) -> Float[np.ndarray, "P"]:
    """Radius of the sphere around a primitive's centre that holds it, m."""
    # A capsule's third size and a cylinder's are 0.
    corner, longest = (
        np.linalg.norm(scene.size, axis=1),
        scene.size.max(axis=1, initial=0),
    )
    reach = np.where(np.isin(scene.kind, [SPHERE, ELLIPSOID]), longest, corner)
    return np.where(scene.kind == CAPSULE, scene.size[:, :2].sum(axis=1), reach)
