"""The progress bar as a terminal shows it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios

import pytest

from agents.training.progress import ProgressBar


def read_all(master: int) -> str:
    """What a terminal was sent; it may arrive in several pieces."""
    pieces = []
    while select.select([master], [], [], 0.5)[0]:
        pieces.append(os.read(master, 1 << 16))
    return b"".join(pieces).decode()


@pytest.mark.parametrize("columns", [0, 80])
def test_a_terminal_sees_time_left_and_both_speeds(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        bar = ProgressBar(1000, 0, 0, "run folder: here")
        bar.update(500, 250)
        bar.close()
        terminal.flush()
        shown = read_all(master)
    os.close(master)
    assert "run folder: here" in shown
    last = shown.rstrip().split("\r")[-1]
    for part in ("500/1.00k", "<", "env-steps/s", "updates/s"):
        assert part in last
