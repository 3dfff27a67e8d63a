"""The folder of a run: its settings, and where everything else lies."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.errors import UsageError
from agents.training.checkpoint import list_checkpoints
from agents.training.config import TrainConfig
from agents.training.config_data import to_data, train_config_from_data
from agents.training.errors import CorruptRunError
from agents.training.files import replace_atomically

CONFIG_FILE = "config.json"
CHECKPOINTS = "checkpoints"
EVALUATION = "evaluation"
_PACKAGES = ("rl-info", "torch", "mujoco", "dm-control", "gymnasium", "numpy", "numba")


def default_run_dir(config: TrainConfig) -> Path:
    """`runs/AGENT-ENV-SEED-TIMESTAMP`, with the slash of the env id replaced."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{config.agent}-{config.env.replace('/', '-')}-{config.seed}-{stamp}"


def create_run(folder: Path, config: TrainConfig) -> None:
    """Make the folder and write `config.json`; raises UsageError if it holds anything or
    cannot be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists and is not empty: continue it with --resume {folder}, "
            "or choose another --run-dir"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_config(folder, config)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error}; choose another --run-dir") from error


def write_config(folder: Path, config: TrainConfig) -> None:
    """Write settings, versions and the git hash of the source to `config.json`, atomically."""
    content = {"config": to_data(config), "versions": versions(), "git_hash": git_hash()}
    replace_atomically(folder / CONFIG_FILE, (json.dumps(content, indent=2) + "\n").encode())


def read_config(folder: Path) -> TrainConfig:
    """The settings of the run in `folder`.

    Raises CorruptRunError naming the file if it is missing, damaged or not that of a run, with the
    nearest right name for an unknown setting.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise CorruptRunError(f"{folder} is not a run folder: it has no {CONFIG_FILE}")
    try:
        content = json.loads(path.read_text())
        if not isinstance(content, dict) or "config" not in content:
            raise UsageError("it holds no settings named 'config'")
        return train_config_from_data(content["config"])
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise CorruptRunError(f"{path} is damaged or foreign: {error}") from error


def latest_checkpoint(folder: Path) -> Path:
    """The newest complete checkpoint of the run in `folder`; raises CorruptRunError for none."""
    found = list_checkpoints(folder / CHECKPOINTS)
    if not found:
        raise CorruptRunError(f"{folder / CHECKPOINTS} holds no complete checkpoint")
    return found[-1]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what a run computes."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def git_hash() -> str | None:
    """Commit of the source tree, with `-dirty` after it where files differ; None outside of one."""
    source = Path(__file__).resolve().parents[2]
    if not (source / ".git").exists():
        return None
    try:
        commit = _git(source, "rev-parse", "HEAD")
        dirty = _git(source, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if dirty else commit


def _git(folder: Path, *arguments: str) -> Any:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
