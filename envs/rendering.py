"""Drawing a simulation, with OpenGL loaded only when a picture is wanted."""

from __future__ import annotations

import atexit
import weakref

import mujoco
import numpy as np
from jaxtyping import UInt8

from envs.errors import RenderingError
from envs.gl import INSTALL_HINT


class Renderer:
    """One off-screen renderer, remade when the size of the picture or the model changes."""

    def __init__(self) -> None:
        self._renderer: mujoco.Renderer | None = None

    def draw(
        self, model: mujoco.MjModel, data: mujoco.MjData, height: int, width: int, camera: int
    ) -> UInt8[np.ndarray, "H W 3"]:
        """Draw `data` through `camera`, -1 for a free camera that shows the whole model.

        Raises:
            RenderingError: if there is no OpenGL library to draw with.
        """
        renderer = self._renderer
        wanted = (model, height, width)
        if renderer is None or (renderer.model, renderer.height, renderer.width) != wanted:
            renderer = self._replace(model, height, width)
        renderer.update_scene(data, camera)
        return renderer.render().copy()

    def _replace(self, model: mujoco.MjModel, height: int, width: int) -> mujoco.Renderer:
        # Two contexts alive at once can mix up their frames.
        self.close()
        visual = model.vis.global_
        visual.offheight = max(visual.offheight, height)
        visual.offwidth = max(visual.offwidth, width)
        try:
            self._renderer = mujoco.Renderer(model, height, width)
        # Each OpenGL library fails in its own way when it is absent: missing module, missing
        # function, failed load, no display, fatal MuJoCo error.
        except (ImportError, AttributeError, OSError, RuntimeError, mujoco.FatalError) as error:
            raise RenderingError(f"cannot render ({error}): {INSTALL_HINT}") from error
        # Software OpenGL spends seven eighths of a frame on these two.
        for effect in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._renderer.scene.flags[effect] = False
        # Exit handlers run last to first: MuJoCo registered its own, which takes OpenGL away, when
        # it made its first context.
        atexit.register(_close_if_alive, weakref.ref(self))
        return self._renderer

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _close_if_alive(reference: weakref.ref[Renderer]) -> None:
    renderer = reference()
    if renderer is not None:
        renderer.close()
