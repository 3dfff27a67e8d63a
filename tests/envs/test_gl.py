"""The choice of an off-screen OpenGL library."""

from __future__ import annotations

import pytest

from envs import gl


def test_a_choice_of_the_user_is_kept() -> None:
    environment = {"MUJOCO_GL": "osmesa", "LP_NUM_THREADS": "2"}
    gl.configure_gl(environment)
    assert environment == {"MUJOCO_GL": "osmesa", "LP_NUM_THREADS": "2"}


def test_a_display_is_left_to_mujoco() -> None:
    environment = {"DISPLAY": ":0"}
    gl.configure_gl(environment)
    assert "MUJOCO_GL" not in environment


@pytest.mark.parametrize("loadable", ["egl", "osmesa", None])
def test_without_a_display_the_first_loadable_library_is_taken(
    monkeypatch: pytest.MonkeyPatch, loadable: str | None
) -> None:
    def load(library: str) -> object:
        if loadable is None or library != gl._LIBRARIES[loadable]:
            raise OSError(library)
        return object()

    monkeypatch.setattr(gl.ctypes, "CDLL", load)
    environment: dict[str, str] = {}
    gl.configure_gl(environment)
    assert environment.get("MUJOCO_GL") == loadable


def test_a_probe_without_gl_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "off")
    probe = gl.probe_gl()
    assert not probe.works
    assert "MUJOCO_GL is set to 'off'" in probe.message
    assert "libegl1" in probe.message
    assert "libosmesa6" in probe.message


def test_a_hanging_driver_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl, "_PROBE", "import time; time.sleep(30)")
    probe = gl.probe_gl(timeout=0.5)
    assert not probe.works
    assert "hung" in probe.message
