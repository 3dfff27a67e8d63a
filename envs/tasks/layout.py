"""Where the named parts of observations and of sensor readings lie."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco


def consecutive(**widths: int) -> Mapping[str, slice]:
    """Slices of the given widths, one after another in the order of the keywords."""
    slices, start = {}, 0
    for name, width in widths.items():
        slices[name] = slice(start, start + width)
        start += width
    return slices


def readings(model: mujoco.MjModel, first_sensor: str, width: int) -> slice:
    """Slice of `sensordata` that holds `width` numbers from the named sensor onwards."""
    start = int(model.sensor(first_sensor).adr[0])
    return slice(start, start + width)
