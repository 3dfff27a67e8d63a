"""Pictures by MuJoCo's own OpenGL renderer: fast with settings for small pictures, or exact."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Int, UInt8

from envs.errors import RenderingError
from envs.gl import INSTALL_HINT
from envs.pixels.fields import POSE_FIELDS
from envs.pixels.optics import Camera, find_camera
from envs.pixels.tendons import TENDON_FIELDS

DRAWN_FIELDS = (
    *POSE_FIELDS,
    *TENDON_FIELDS,
    "xpos",
    "xquat",
    "xmat",
    "xipos",
    "ximat",
    "subtree_com",
)
"""All that MuJoCo's visualiser reads of rigid bodies, so that no forward pass is needed."""


@dataclass(frozen=True)
class GLSettings:
    """What a picture by OpenGL spends its time on."""

    effects: bool
    """Shadows and reflections: seven eighths of a frame in software."""
    samples: int | None
    """Samples a pixel; None for the model's own number."""
    slices: int | None
    """Around a sphere; None for the model's own number."""
    stacks: int | None
    quads: int | None


FAST = GLSettings(effects=False, samples=0, slices=8, stacks=4, quads=1)
EXACT = GLSettings(effects=True, samples=None, slices=None, stacks=None, quads=None)


class GLRenderer:
    """MuJoCo's renderer with one context for all worlds, which are drawn one after the other.

    Draws everything: meshes, height fields, textures. Not for use from several threads.

    Args:
        model: What to draw; a copy is kept.
        height: Of a picture, pixels.
        width: Of a picture, pixels.
        camera: Name or index, -1 for the free camera; None for the first one.
        settings: `FAST`, or `EXACT` for the very pixels of `dm_control`'s `physics.render`.

    Raises:
        RenderingError: if there is no off-screen OpenGL library, naming the packages.
        ValueError: for an unknown camera, a picture without pixels, or a model with flexes.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        height: int = 64,
        width: int = 64,
        camera: Camera = None,
        *,
        settings: GLSettings = FAST,
    ) -> None:
        if height < 1 or width < 1:
            raise ValueError(f"a picture has at least one pixel: got {height} x {width}")
        if model.nflex:
            raise ValueError("the gl renderers draw rigid bodies, and this model has a flex")
        self.height, self.width = height, width
        self.camera = find_camera(model, camera)
        self.fields: tuple[str, ...] = tuple(
            name for name in DRAWN_FIELDS if np.size(getattr(mujoco.MjData(model), name))
        )
        self._settings = settings
        self._model = _tuned(model, height, width, settings)
        self._data = mujoco.MjData(self._model)
        # Until the pose is written over, a forward pass fills what no field holds.
        mujoco.mj_forward(self._model, self._data)
        self._colours: mujoco.Renderer | None = None
        self._masks: mujoco.Renderer | None = None

    def render(
        self, data: Any, out: UInt8[np.ndarray, "N H W 3"] | None = None
    ) -> UInt8[np.ndarray, "N H W 3"]:
        """Draw N worlds, given `fields` of shape (N, ...); into `out`, if given."""
        colours = self._open_colours()
        count = data.geom_xpos.shape[0]
        frames = np.empty((count, self.height, self.width, 3), np.uint8) if out is None else out
        for n in range(count):
            self._load(data, n)
            colours.update_scene(self._data, self.camera)
            frames[n] = colours.render()
        return frames

    def segment(self, data: Any) -> Int[np.ndarray, "N H W"]:
        """What each pixel of N worlds shows, int32; see `PixelRenderer.segment`."""
        renderer = self._open_masks()
        renderer.enable_segmentation_rendering()
        masks = np.full((data.geom_xpos.shape[0], self.height, self.width), -1, np.int32)
        for n in range(len(masks)):
            self._load(data, n)
            renderer.update_scene(self._data, self.camera)
            masks[n] = self._labels(renderer.render())
        renderer.disable_segmentation_rendering()
        return masks

    def _open_colours(self) -> mujoco.Renderer:
        if self._colours is None:
            self._close_masks()
            self._colours = _open(self._model, self.height, self.width)
            for effect in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
                self._colours.scene.flags[effect] = self._settings.effects
        return self._colours

    def _open_masks(self) -> mujoco.Renderer:
        """A renderer with one sample a pixel: that of the colours, if it has no more.

        Opening one takes longer than drawing hundreds of pictures.
        """
        if self._model.vis.quality.offsamples == 0:
            return self._open_colours()
        if self._masks is None:
            self._close_colours()
            plain = copy.copy(self._model)
            plain.vis.quality.offsamples = 0
            self._masks = _open(plain, self.height, self.width)
        return self._masks

    def _labels(self, pairs: Int[np.ndarray, "H W 2"]) -> Int[np.ndarray, "H W"]:
        model, (index, kind) = self._model, np.moveaxis(pairs, -1, 0)
        labels = np.full(index.shape, -1, np.int32)
        firsts = {
            mujoco.mjtObj.mjOBJ_GEOM: 0,
            mujoco.mjtObj.mjOBJ_SITE: model.ngeom,
            mujoco.mjtObj.mjOBJ_TENDON: model.ngeom + model.nsite,
        }
        for wanted, first in firsts.items():
            labels = np.where(kind == int(wanted), index + first, labels)
        return labels

    def _load(self, data: Any, n: int) -> None:
        for name in self.fields:
            target = getattr(self._data, name)
            target[...] = getattr(data, name)[n].reshape(target.shape)

    def close(self) -> None:
        """Free the contexts."""
        self._close_colours()
        self._close_masks()

    def _close_colours(self) -> None:
        if self._colours is not None:
            self._colours.close()
            self._colours = None

    def _close_masks(self) -> None:
        if self._masks is not None:
            self._masks.close()
            self._masks = None


def _tuned(model: mujoco.MjModel, height: int, width: int, settings: GLSettings) -> mujoco.MjModel:
    """A copy of the model with the settings, and a frame buffer no larger than needed."""
    tuned = copy.copy(model)
    buffer, quality = tuned.vis.global_, tuned.vis.quality
    buffer.offheight = height if not settings.effects else max(buffer.offheight, height)
    buffer.offwidth = width if not settings.effects else max(buffer.offwidth, width)
    wanted = {
        "offsamples": settings.samples,
        "numslices": settings.slices,
        "numstacks": settings.stacks,
        "numquads": settings.quads,
    }
    for name, value in wanted.items():
        if value is not None:
            setattr(quality, name, value)
    return tuned


def _open(model: mujoco.MjModel, height: int, width: int) -> mujoco.Renderer:
    try:
        return mujoco.Renderer(model, height, width)
    # Each OpenGL library fails in its own way when it is absent: missing module, missing
    # function, failed load, no display, fatal MuJoCo error.
    except (ImportError, AttributeError, OSError, RuntimeError, mujoco.FatalError) as error:
        raise RenderingError(
            f"cannot render ({error}): {INSTALL_HINT}; renderer='numba' needs none"
        ) from error
