"""Clouds of noise that drift and change."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

EXPONENT = 3.0
"""Of the power over the frequency in space and time: one picture then has a power of f⁻² over its
own frequencies (an amplitude of 1/f, as natural pictures), and one pixel of a field that does not
drift a power of 1/f in time, but less at the highest frequencies, for want of smaller details."""
PACE = 1 / 64
"""Pictures' widths for which one frame counts in the common frequency."""
MOST_DRIFT = 1 / 64
"""Widths a frame."""
CONTRAST = 56.0
"""Standard deviation, of 255."""
SHARED = 0.8
"""Amplitude in every channel of what all channels have in common, of 1."""


def noise_film(
    source: np.random.Generator, frames: int, height: int, width: int
) -> UInt8[np.ndarray, "T H W 3"]:
    """Drifting noise with the 1/f spectrum of natural pictures, in space and time."""
    angle, speed = source.uniform(0, 2 * np.pi), source.uniform(0.3, 1) * MOST_DRIFT
    drift = speed * np.array([np.sin(angle), np.cos(angle)])
    common, *own = (pink_field(source, frames, height, width, drift) for _ in range(4))
    channels = SHARED * common[..., None] + (1 - SHARED**2) ** 0.5 * np.stack(own, axis=-1)
    mean = source.uniform(96, 160, 3)
    return np.rint(np.clip(mean + CONTRAST * channels, 0, 255)).astype(np.uint8)


def pink_field(
    source: np.random.Generator,
    frames: int,
    height: int,
    width: int,
    drift: Float[np.ndarray, "2"] | None = None,
) -> Float[np.ndarray, "T H W"]:
    """Gaussian noise of mean 0 and variance 1 with a power of f⁻³ in space and time.

    It is periodic in all three axes but for the drift, so that no edge disturbs the spectrum.

    Args:
        source: Random source.
        frames: T.
        height: H.
        width: W.
        drift: Down and to the right, widths a frame.
    """
    white = source.standard_normal((frames, height, width), dtype=np.float32)
    spectrum = np.fft.rfftn(white)
    down = np.fft.fftfreq(height)[:, None] * width
    right = np.fft.rfftfreq(width)[None, :] * width
    later = np.fft.fftfreq(frames)[:, None, None] / PACE
    frequency = np.sqrt(down**2 + right**2 + later**2).astype(np.float32)
    frequency[0, 0, 0] = np.inf
    moving = np.fft.ifft(spectrum * frequency ** (-EXPONENT / 2), axis=0)
    if drift is not None:
        travelled = np.arange(frames)[:, None, None]
        phase = np.exp(-2j * np.pi * travelled * (drift[0] * down + drift[1] * right))
        moving *= phase.astype(np.complex64)
    field = np.fft.irfftn(moving, s=(height, width), axes=(1, 2))
    return (field - field.mean()) / field.std()
