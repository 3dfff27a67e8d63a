"""Choosing an off-screen OpenGL library before MuJoCo is imported, and saying what is missing."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Literal

GLBackend = Literal["egl", "osmesa"]

_LIBRARIES: dict[GLBackend, str] = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}

INSTALL_HINT = (
    "install an off-screen OpenGL library: `apt-get install libegl1 libgl1-mesa-dri` (EGL), "
    "or `apt-get install libosmesa6` and set MUJOCO_GL=osmesa"
)

_PROBE = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='.1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 16, 16) as renderer:
    renderer.update_scene(data)
    assert renderer.render().shape == (16, 16, 3)
"""


@dataclass(frozen=True)
class GLProbe:
    """What became of rendering one small frame in a process of its own."""

    works: bool
    backend: str
    """Value of MUJOCO_GL that was tried."""
    message: str
    """Empty when it works, otherwise the reason and the fix."""


def available_backend() -> GLBackend | None:
    """The first off-screen OpenGL library that this machine can load, EGL before OSMesa."""
    for backend, library in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return backend
    return None


def configure_gl(environment: MutableMapping[str, str] = os.environ) -> None:
    """Point MuJoCo at an off-screen OpenGL library unless the user or a display already does.

    MuJoCo reads MUJOCO_GL, and Mesa reads LP_NUM_THREADS, once, when first imported: without a
    display MuJoCo's own default (GLFW) cannot render. Small frames are fastest without Mesa's
    worker threads. Must run before `import mujoco`; does nothing where a choice was made.
    """
    environment.setdefault("LP_NUM_THREADS", "0")
    if "MUJOCO_GL" in environment or "DISPLAY" in environment or sys.platform != "linux":
        return
    backend = available_backend()
    if backend is not None:
        environment["MUJOCO_GL"] = backend


def probe_gl(timeout: float = 60.0) -> GLProbe:
    """Render one 16x16 frame in a subprocess, because a broken driver can hang or abort.

    `timeout` is in seconds.
    """
    environment = dict(os.environ)
    configure_gl(environment)
    backend = environment.get("MUJOCO_GL", "glfw")
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return GLProbe(False, backend, f"rendering hung for {timeout:.0f} s; {INSTALL_HINT}")
    if done.returncode == 0:
        return GLProbe(True, backend, "")
    lines = done.stderr.strip().splitlines()
    reason = lines[-1] if lines else f"exit status {done.returncode}"
    if backend not in (*_LIBRARIES, "glfw"):
        reason = f"the environment variable MUJOCO_GL is set to {backend!r}: {reason}"
    return GLProbe(False, backend, f"{reason}; {INSTALL_HINT}")
