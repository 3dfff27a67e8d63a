"""Checkpoints: a folder each, with a manifest of sizes and SHA-256 hashes, written atomically."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.training.errors import CorruptRunError
from agents.training.files import sync_folder, write_durably
from agents.training.state_tree import decode, encode

MANIFEST = "manifest.json"
_FORMAT = 1
_NAME = re.compile(r"step_(\d{9,})")
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the env steps done, and the state of each component by name."""

    step: int
    states: Mapping[str, Any]


def save_checkpoint(folder: Path, step: int, states: Mapping[str, Any], keep: int = 2) -> Path:
    """Write `states` to `folder/step_XXXXXXXXX` and delete all but the newest `keep` checkpoints.

    The folder appears under its name only when every file and the manifest are on the disk. Equal
    states give files that are equal byte for byte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{_PARTIAL}*"):
        shutil.rmtree(leftover)
    target = folder / f"step_{step:09d}"
    partial = folder / f"{_PARTIAL}{target.name}"
    partial.mkdir()
    files: dict[str, dict[str, Any]] = {}
    for name, state in states.items():
        content = encode(state)
        write_durably(partial / _file_name(name), content)
        files[_file_name(name)] = {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    body = {"format": _FORMAT, "step": step, "files": files}
    manifest = {**body, "sha256": body_hash(body)}
    write_durably(partial / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    sync_folder(partial)
    if target.exists():
        shutil.rmtree(target)
    os.rename(partial, target)
    sync_folder(folder)
    for old in list_checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints under `folder`, oldest first; an interrupted write is not among them."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_step_of)


def verify_checkpoint(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint at `path`, after checking the size and hash of every file.

    Raises CorruptRunError naming the first file that is missing or damaged.
    """
    manifest_path = path / MANIFEST
    try:
        manifest = json.loads(manifest_path.read_text())
        claimed = manifest.pop("sha256")
        sound = (
            claimed == body_hash(manifest)
            and manifest["format"] == _FORMAT
            and manifest["step"] == _step_of(path)
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CorruptRunError(f"{manifest_path} is missing or damaged ({error})") from error
    if not sound:
        raise CorruptRunError(f"{manifest_path} is damaged or was made by another version")
    for name, entry in manifest["files"].items():
        check_file(path / name, entry)
    return dict(manifest)


def load_checkpoint(path: Path, components: Iterable[str] | None = None) -> Checkpoint:
    """Load the checkpoint folder `path`, whole or only some `components`.

    All hashes are checked first. Raises CorruptRunError naming the damaged file and the newest
    other checkpoint of the run that is sound.
    """
    if not path.is_dir():
        known = ", ".join(other.name for other in list_checkpoints(path.parent)) or "none"
        raise CorruptRunError(f"there is no checkpoint {path}; {path.parent} holds: {known}")
    try:
        manifest = verify_checkpoint(path)
        names = [Path(name).stem for name in manifest["files"]]
        wanted = names if components is None else list(components)
        for name in wanted:
            if name not in names:
                raise CorruptRunError(f"{path / MANIFEST} lists no {_file_name(name)}")
        states = {name: _decode_file(path / _file_name(name)) for name in wanted}
    except CorruptRunError as error:
        raise CorruptRunError(f"{error}; {_advice(path)}") from error
    return Checkpoint(manifest["step"], states)


def _decode_file(path: Path) -> Any:
    try:
        return decode(path)
    except Exception as error:  # safetensors raises a bare Exception subclass for a foreign file
        raise CorruptRunError(f"{path} is not a state file ({error})") from error


def check_file(path: Path, entry: Mapping[str, Any]) -> None:
    """Raise CorruptRunError if the file lacks, or has not the size and hash of its `entry`."""
    if not path.is_file():
        raise CorruptRunError(f"{path} is missing")
    size = path.stat().st_size
    if size != entry["size"]:
        raise CorruptRunError(f"{path} is damaged: {size} bytes instead of {entry['size']}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != entry["sha256"]:
        raise CorruptRunError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}")


def _advice(path: Path) -> str:
    for other in reversed(list_checkpoints(path.parent)):
        if other == path:
            continue
        try:
            verify_checkpoint(other)
        except CorruptRunError:
            continue
        return f"{other.name} is sound: remove {path} to continue from it"
    return "no other checkpoint of this run is sound"


def body_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest without its own hash, whatever the order of its keys."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _file_name(component: str) -> str:
    return f"{component}.safetensors"


def _step_of(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise CorruptRunError(f"{path} is not a checkpoint folder (step_XXXXXXXXX)")
    return int(match.group(1))
