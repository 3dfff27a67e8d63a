"""Keeps freed memory with the process."""

from __future__ import annotations

import torch

KEPT_BYTES = 31 << 20


def keep_freed_blocks() -> None:
    """Let freed blocks of up to 31 MiB wait for the next update.

    glibc returns freed blocks larger than the largest it has seen freed to the system, and every
    update would fault them in again. One large block, freed at once, ends that.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)
