"""Agents by name. A new agent is one file and one line of `PRESETS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agents.errors import UsageError, nearest
from agents.presets.aps import APS
from agents.presets.apt import APT
from agents.presets.base import Preset
from agents.presets.cic import CIC
from agents.presets.contrastive_ucb import CONTRASTIVE_UCB
from agents.presets.csd import CSD
from agents.presets.csf import CSF
from agents.presets.dads import DADS
from agents.presets.diayn import DIAYN
from agents.presets.disagreement import DISAGREEMENT
from agents.presets.dreamer import DREAMER
from agents.presets.empowerment import EMPOWERMENT
from agents.presets.infonce_dreamer import INFONCE_DREAMER
from agents.presets.infopower import INFOPOWER
from agents.presets.koopman_lqr import KOOPMAN_LQR
from agents.presets.lsd import LSD
from agents.presets.metra import METRA
from agents.presets.r2dreamer import R2DREAMER
from agents.presets.rnd import RND
from agents.presets.sac import SAC
from agents.presets.slim import SLIM, SLIM_PPO
from agents.presets.smm import SMM
from agents.presets.tldr import TLDR
from agents.presets.visual_metra import VISUAL_METRA
from agents.presets.visual_slim import VISUAL_SLIM

__all__ = ["PRESETS", "Preset", "find_preset"]

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            SAC, DIAYN, DADS, LSD, CSD, METRA, CSF, TLDR, APS, CIC, SMM, APT, RND, DISAGREEMENT,
            CONTRASTIVE_UCB, EMPOWERMENT, SLIM, SLIM_PPO, INFOPOWER, DREAMER, R2DREAMER,
            INFONCE_DREAMER, VISUAL_METRA, VISUAL_SLIM, KOOPMAN_LQR,
        )
    }
)  # fmt: skip


def find_preset(name: str) -> Preset:
    """The preset called `name`; raises UsageError with the nearest right name if there is none."""
    if name not in PRESETS:
        raise UsageError(f"unknown agent {name!r}; {nearest(name, PRESETS)}")
    return PRESETS[name]
