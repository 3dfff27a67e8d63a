"""The models that dm_control.suite ships, compiled without importing its Physics or its GL."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import mujoco

from envs.tasks.compiling import compile_quietly

COMMON = ("./common/materials.xml", "./common/skybox.xml", "./common/visual.xml")
"""Files that every MJCF of the suite includes, by the name it includes them with."""


@cache
def suite_folder() -> Path:
    """Folder of dm_control.suite.

    The package is located, not imported: importing it would also set up rendering.

    Raises:
        ModuleNotFoundError: if dm_control is not installed.
    """
    spec = find_spec("dm_control.suite")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("dmc/ tasks need dm_control's models: pip install dm-control")
    return Path(spec.submodule_search_locations[0])


def read_xml(filename: str) -> str:
    """MJCF text of a file of the suite, such as `cheetah.xml`."""
    return (suite_folder() / filename).read_text(encoding="utf-8")


def compile_model(xml: str) -> mujoco.MjModel:
    """Compile MJCF text that may include the suite's common files."""
    assets = {name: (suite_folder() / name).read_bytes() for name in COMMON}
    return compile_quietly(lambda: mujoco.MjModel.from_xml_string(xml, assets))


def load_model(filename: str) -> mujoco.MjModel:
    """Compile a file of the suite unchanged, such as `cheetah.xml`."""
    return compile_model(read_xml(filename))
