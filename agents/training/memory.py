"""How much memory there is for a replay."""

from __future__ import annotations

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""A container's limit of memory, in the two versions of control groups."""
GIB = 2**30


def available_memory() -> int | None:
    """Bytes that this process can get; None where the system does not say."""
    found = []
    if MEMINFO.is_file():
        for line in MEMINFO.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                found.append(int(value.split()[0]) * 1024)
    for limit in LIMITS:
        if limit.is_file() and limit.read_text().strip().isdigit():
            found.append(int(limit.read_text()))
    return min(found, default=None)


def require_memory(bytes_needed: int, rows: int, flag: str) -> None:
    """Raise ValueError with the numbers and the `flag` to lower if `rows` rows do not fit."""
    available = available_memory()
    if available is None or bytes_needed <= available:
        return
    fitting = int(0.8 * available / bytes_needed * rows)
    raise ValueError(
        f"a replay of {rows:,} observations needs {bytes_needed / GIB:.1f} GiB and "
        f"{available / GIB:.1f} GiB of memory are free: lower {flag}, to {fitting:,} for instance"
    )
