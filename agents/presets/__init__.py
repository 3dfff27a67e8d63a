"""Agents by name. A new agent is one file and one line of `PRESETS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agents.errors import UsageError, nearest
from agents.presets.base import Preset
from agents.presets.diayn import DIAYN
from agents.presets.lsd import LSD
from agents.presets.metra import METRA
from agents.presets.sac import SAC

__all__ = ["PRESETS", "Preset", "find_preset"]

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (SAC, DIAYN, LSD, METRA)}
)


def find_preset(name: str) -> Preset:
    """The preset called `name`; raises UsageError with the nearest right name if there is none."""
    if name not in PRESETS:
        raise UsageError(f"unknown agent {name!r}; {nearest(name, PRESETS)}")
    return PRESETS[name]
