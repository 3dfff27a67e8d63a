"""The arrays that compiled functions share, grouped under names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from envs.pixels.raycast.rays import inline
from envs.pixels.raycast.surfaces import CACHE_EDGE
from envs.pixels.scene import Scene


class SceneArrays(NamedTuple):
    """The fields of `Scene` and its textures that compiled functions read."""

    kind: Any
    source: Any
    index: Any
    label: Any
    size: Any
    material: Any
    texture: Any
    texture_scale: Any
    cells: Any
    light_constants: Any
    far: Any
    texels: Any
    texture_kind: Any
    texture_levels: Any
    texel_start: Any
    texel_width: Any
    texel_height: Any


class View(NamedTuple):
    """What the camera's optics and the size of the picture fix once for all frames."""

    rays_x: Any
    """Slopes of the columns' rays, float32 (W,)."""
    rays_y: Any
    """Slopes of the rows' rays, from the top, float32 (H,)."""
    step: Any
    """Slope from pixel to pixel."""
    near: Any
    """Nothing nearer is drawn, m."""
    sky: Any
    """Colours of the sky's six faces at the size of a pixel, float32 (6·E·E, 3)."""
    sky_edge: int
    """E; 0 for a black sky."""
    shadows: bool
    reflections: bool


class Pose(NamedTuple):
    """Where everything is in N worlds: MuJoCo's fields, float64."""

    geom_xpos: Any
    geom_xmat: Any
    site_xpos: Any
    site_xmat: Any
    cam_xpos: Any
    cam_xmat: Any
    light_xpos: Any
    light_xdir: Any


class Workspace(NamedTuple):
    """What drawing one picture needs beside the picture; with a leading axis, S of them."""

    depth: Any
    shown: Any
    centres: Any
    axes: Any
    sizes: Any
    reach: Any
    alpha: Any
    windows: Any
    bounds: Any
    lights: Any
    tags: Any
    values: Any
    lit: Any
    colour: Any
    texel: Any


def scene_arrays(scene: Scene) -> SceneArrays:
    """The arrays of a scene."""
    bank = scene.textures
    return SceneArrays(
        scene.kind,
        scene.source,
        scene.index,
        scene.label,
        scene.size,
        scene.material,
        scene.texture,
        scene.texture_scale,
        scene.cells,
        scene.light_constants,
        np.float32(scene.far),
        bank.texels,
        bank.kind,
        bank.levels,
        bank.start,
        bank.width,
        bank.height,
    )


def make_workspaces(scene: Scene, height: int, width: int, count: int) -> Workspace:
    """S workspaces for pictures of a scene."""
    primitives, lights = len(scene.kind), len(scene.light_constants)
    slots, passes = CACHE_EDGE**2, 1 + lights
    real = np.float32
    sizes = np.broadcast_to(scene.size, (count, primitives, 3)).astype(real)
    return Workspace(
        depth=np.empty((count, height, width), real),
        shown=np.empty((count, height, width), np.int32),
        centres=np.zeros((count, primitives, 3), real),
        axes=np.zeros((count, primitives, 3, 3), real),
        sizes=sizes,
        reach=np.linalg.norm(sizes, axis=2).astype(real),
        alpha=np.ones((count, primitives), real),
        windows=np.zeros((count, primitives, 4), np.int32),
        bounds=np.zeros((count, 4), real),
        lights=np.zeros((count, lights, 6), real),
        tags=np.full((count, slots), -1, np.int64),
        values=np.zeros((count, slots, passes, 3), real),
        lit=np.zeros((count, passes, 3), real),
        colour=np.zeros((count, 3), real),
        texel=np.zeros((count, 3), real),
    )


@inline
def one_of(works: Any, share: int) -> Any:
    """The workspace at an index."""
    return Workspace(
        works.depth[share],
        works.shown[share],
        works.centres[share],
        works.axes[share],
        works.sizes[share],
        works.reach[share],
        works.alpha[share],
        works.windows[share],
        works.bounds[share],
        works.lights[share],
        works.tags[share],
        works.values[share],
        works.lit[share],
        works.colour[share],
        works.texel[share],
    )
