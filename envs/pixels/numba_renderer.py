"""Pictures of many worlds at once without OpenGL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import numba
import numpy as np
from jaxtyping import Float, Int, UInt8

from envs.pixels.fields import POSE_FIELDS
from envs.pixels.optics import FREE, Camera, Optics, find_camera, read_optics
from envs.pixels.raycast.image import draw_share, segment_share
from envs.pixels.raycast.texturing import pack
from envs.pixels.raycast.workspace import Pose, Stage, Workspace, make_workspace
from envs.pixels.scene import Scene, read_scene
from envs.pixels.tendons import TENDON_FIELDS, trace_tendons


class NumbaRenderer:
    """A ray-caster over planes, spheres, capsules, ellipsoids, cylinders and boxes.

    Colours follow MuJoCo's own pictures: its lights, materials, textures and sky. Pictures are
    bit-identical for any number of worlds and threads.

    Args:
        model: What to draw. Sizes, colours and textures are read once.
        height: Of a picture, pixels.
        width: Of a picture, pixels.
        camera: Name or index, -1 for the free camera; None for the first one.
        shadows: Whether lights throw shadows; with reflections they cost a third of the speed.
        reflections: Whether a reflective floor shows what stands on it.

    Raises:
        ValueError: for a model with meshes, height fields, skins or flexes, naming the renderers
            that draw them; for an unknown camera or a picture without pixels.
    """

    name = "numba"

    def __init__(
        self,
        model: mujoco.MjModel,
        height: int = 64,
        width: int = 64,
        camera: Camera = None,
        *,
        shadows: bool = True,
        reflections: bool = True,
    ) -> None:
        if height < 1 or width < 1:
            raise ValueError(f"a picture has at least one pixel: got {height} x {width}")
        self.height, self.width = height, width
        self.camera = find_camera(model, camera)
        self._scene = read_scene(model)
        tendons = self._scene.tendons
        self.fields = POSE_FIELDS + (TENDON_FIELDS if tendons.num_segments else ())
        self._optics = read_optics(model, self.camera, height, width)
        self._stage = make_stage(
            self._scene,
            self._optics,
            height,
            width,
            max(self.camera, 0),
            shadows,
            reflections,
        )
        self._works: list[Workspace] = []
        self._pool: ThreadPoolExecutor | None = None
        self._pool_size = 0

    def render(
        self, data: Any, out: UInt8[np.ndarray, "N H W 3"] | None = None
    ) -> UInt8[np.ndarray, "N H W 3"]:
        """Draw N worlds, given `fields` of shape (N, ...); into `out`, if given."""
        pose, count = self._pose(data)
        shape = (count, self.height, self.width, 3)
        whole = out is not None and out.flags.c_contiguous
        frames = out if out is not None and whole else np.empty(shape, np.uint8)
        self._share_out(draw_share, pose, count, frames.reshape(count, -1))
        if out is None or whole:
            return frames
        out[...] = frames
        return out

    def segment(self, data: Any) -> Int[np.ndarray, "N H W"]:
        """What each pixel of N worlds shows, int32: -1 the sky, else a geom's id.

        Sites follow on the geoms: their id plus the number of geoms; tendons on the sites.
        """
        return self._segment(data)[0]

    def depth(self, data: Any) -> Float[np.ndarray, "N H W"]:
        """Distance along the camera's axis that each pixel shows, m, float32; inf for the sky."""
        return self._segment(data)[1]

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _segment(self, data: Any) -> tuple[np.ndarray, np.ndarray]:
        pose, count = self._pose(data)
        masks = np.empty((count, self.height, self.width), np.int32)
        depths = np.empty(masks.shape, np.float32)
        self._share_out(segment_share, pose, count, masks, depths)
        return masks, depths

    def _share_out(self, draw: Callable[..., None], pose: Pose, count: int, *out: Any) -> None:
        """Let as many threads as numba may use draw equal shares of the worlds."""
        threads = min(numba.get_num_threads(), max(count, 1))
        while len(self._works) < threads:
            self._works.append(make_workspace(self._scene, self.height, self.width))
        if threads == 1:
            draw(self._stage, pose, self._works[0], 0, count, *out)
            return
        if self._pool is None or self._pool_size < threads:
            self.close()
            self._pool_size = threads
            self._pool = ThreadPoolExecutor(threads)
        ends = [share * count // threads for share in range(threads + 1)]
        running = [
            self._pool.submit(draw, self._stage, pose, work, first, end, *out)
            for work, first, end in zip(self._works[:threads], ends[:-1], ends[1:], strict=True)
        ]
        for share in running:
            share.result()

    def _pose(self, data: Any) -> tuple[Pose, int]:
        columns = {name: getattr(data, name) for name in POSE_FIELDS}
        count = columns["geom_xpos"].shape[0]
        for name in POSE_FIELDS:
            width = 9 if name.endswith("mat") else 3
            columns[name] = columns[name].reshape(count, -1, width)
        if self.camera == FREE:
            columns["cam_xpos"] = np.broadcast_to(self._optics.position, (count, 1, 3)).copy()
            columns["cam_xmat"] = np.broadcast_to(self._optics.axes, (count, 1, 9)).copy()
        return Pose(**columns, tendons=trace_tendons(self._scene.tendons, data, count)), count


def make_stage(
    scene: Scene,
    optics: Optics,
    height: int,
    width: int,
    camera: int,
    shadows: bool,
    reflections: bool,
) -> Stage:
    """Rays through the pixels' centres, and a sky as fine as they are."""
    columns = (np.arange(width) + 0.5) / width
    rows = (np.arange(height) + 0.5) / height
    step = (optics.top - optics.bottom) / height
    sky, edge = make_sky(scene, step)
    bank = scene.textures
    cubes = np.where(scene.texture >= 0, bank.kind[scene.texture], 0) if bank.kind.size else 0
    return Stage(
        kinds=scene.kind,
        origins=np.stack([scene.source, scene.index], axis=1).astype(np.int32),
        labels=scene.label,
        textures=np.stack([scene.texture, cubes + 0 * scene.texture], axis=1).astype(np.int32),
        texels=pack(bank.texels),
        levels=np.stack([bank.start, bank.width, bank.height], axis=2).astype(np.int32),
        rays_x=(optics.left + columns * (optics.right - optics.left)).astype(np.float32),
        rays_y=(optics.top - rows * (optics.top - optics.bottom)).astype(np.float32),
        step=np.float32(step),
        near=np.float32(optics.near),
        far=np.float32(scene.far),
        sky=sky,
        sky_edge=edge,
        shadows=shadows,
        reflections=reflections,
        camera=camera,
    )


def make_sky(scene: Scene, step: float) -> tuple[Float[np.ndarray, "K 3"], int]:
    """Six faces of the sky, as fine as one pixel of the given slope, and their edge.

    OpenGL mixes two levels at every pixel; over the sky of a picture the share hardly changes, so
    they are mixed here.
    """
    if scene.sky < 0:
        return np.zeros((1, 3), np.float32), 0
    bank, sky = scene.textures, scene.sky
    levels = int(bank.levels[sky])
    level = np.clip(np.log2(max(step * bank.width[sky, 0] / 2, 1.0)), 0, levels - 1)
    fine, rest = int(level), float(level - int(level))
    faces = _faces(scene, fine)
    if rest > 0 and fine + 1 < levels:
        faces = (1 - rest) * faces + rest * _enlarge(_faces(scene, fine + 1), faces.shape[1])
    return np.ascontiguousarray(faces.reshape(-1, 3), dtype=np.float32), faces.shape[1]


def _faces(scene: Scene, level: int) -> Float[np.ndarray, "6 E E 3"]:
    bank, sky = scene.textures, scene.sky
    first, edge = int(bank.start[sky, level]), int(bank.width[sky, level])
    return bank.texels[first : first + 6 * edge * edge].reshape(6, edge, edge, 3)


def _enlarge(faces: Float[np.ndarray, "6 e e 3"], edge: int) -> Float[np.ndarray, "6 E E 3"]:
    """Faces interpolated linearly to a larger edge."""
    small = faces.shape[1]
    place = np.clip((np.arange(edge) + 0.5) * small / edge - 0.5, 0, small - 1)
    low = place.astype(int)
    high, share = np.minimum(low + 1, small - 1), place - low
    rows = (1 - share)[:, None, None] * faces[:, low] + share[:, None, None] * faces[:, high]
    return (1 - share)[:, None] * rows[:, :, low] + share[:, None] * rows[:, :, high]
