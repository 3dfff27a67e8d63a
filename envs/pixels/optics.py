"""A model's camera: which one is meant, where it looks from, how wide it sees."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

FREE = -1
"""MuJoCo's free camera, which shows the whole model and does not move."""

Camera = int | str | None
"""Name or index; None for the first camera, or the free one where a model has none."""


@dataclass(frozen=True)
class Optics:
    """The pyramid through which a camera sees, as slopes at distance 1."""

    left: float
    right: float
    bottom: float
    top: float
    near: float
    """Nothing nearer is drawn, m."""
    position: Float[np.ndarray, "3"]
    """Of the camera in the model's initial state; the free camera stays there."""
    axes: Float[np.ndarray, "9"]
    """The camera's matrix there, row by row as MuJoCo's cam_xmat: it looks along -z, y is up."""


def find_camera(model: mujoco.MjModel, camera: Camera) -> int:
    """Index of a camera, FREE for the free one.

    Raises:
        ValueError: if the model has no such camera, with the names of those that it has.
    """
    if camera is None:
        return 0 if model.ncam else FREE
    names = [model.camera(index).name for index in range(model.ncam)]
    if isinstance(camera, str):
        if camera in names:
            return names.index(camera)
        close = difflib.get_close_matches(camera, names, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ValueError(f"no camera {camera!r}: {hint}{_known(names)}")
    if not FREE <= camera < model.ncam:
        raise ValueError(f"no camera {camera}: {_known(names)}")
    return int(camera)


def _known(names: list[str]) -> str:
    shown = ", ".join(f"{index} ({name})" for index, name in enumerate(names))
    return f"the model has {shown or 'none'}, and the free camera -1"


def read_optics(model: mujoco.MjModel, camera: int, height: int, width: int) -> Optics:
    """What MuJoCo's own scene says of a camera, for a picture of `height` by `width` pixels.

    Raises:
        ValueError: for an orthographic camera.
    """
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scene = mujoco.MjvScene(model, model.ngeom + model.nsite + 1000)
    handle = mujoco.MjvCamera()
    if camera == FREE:
        mujoco.mjv_defaultFreeCamera(model, handle)
    else:
        handle.type, handle.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, camera
    every = mujoco.mjtCatBit.mjCAT_ALL
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, handle, every, scene)
    left_eye, right_eye = scene.camera
    if left_eye.orthographic:
        raise ValueError("an orthographic camera needs renderer='gl' or renderer='exact'")
    near = float(left_eye.frustum_near)
    top, bottom = float(left_eye.frustum_top) / near, float(left_eye.frustum_bottom) / near
    half = float(left_eye.frustum_width) / near or 0.5 * width / height * (top - bottom)
    centre = 0.5 * float(left_eye.frustum_center + right_eye.frustum_center) / near
    up, back = np.array(left_eye.up, float), -np.array(left_eye.forward, float)
    axes = np.stack([np.cross(up, back), up, back], axis=1)
    position = (np.array(left_eye.pos, float) + np.array(right_eye.pos, float)) / 2
    return Optics(centre - half, centre + half, bottom, top, near, position, axes.reshape(9))
