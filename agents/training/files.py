"""Writing files so that a crash leaves either the old ones or the new ones, never half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to `path` and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in the folder `path` are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_atomically(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file `path`; readers see the old or the new, whole."""
    temporary = path.with_name(f".{path.name}.partial")
    write_durably(temporary, content)
    os.replace(temporary, path)
    sync_folder(path.parent)
