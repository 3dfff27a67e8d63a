"""Frames as an animated GIF in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence

import imageio.v3 as iio
import numpy as np
from jaxtyping import UInt8


def encode_gif(frames: Sequence[UInt8[np.ndarray, "H W 3"]], fps: float) -> bytes:
    """The bytes of a GIF that repeats for ever; raises ValueError for no frames.

    GIF stores durations in hundredths of a second, so that `fps` is met only roughly above 30.
    """
    if not len(frames):
        raise ValueError("a video needs at least one frame")
    buffer = io.BytesIO()
    duration = max(round(100.0 / fps), 2) * 10
    iio.imwrite(buffer, np.stack(frames), extension=".gif", duration=duration, loop=0)
    return buffer.getvalue()
