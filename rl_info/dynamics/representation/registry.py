"""Representation objectives by name; a new one is one file and one line, or `register_…`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import torch

from rl_info.dynamics.representation.base import ModelContext, RepresentationObjective
from rl_info.dynamics.representation.bisimulation import BisimulationConfig, BisimulationObjective
from rl_info.dynamics.representation.contrastive import (
    BarlowConfig,
    BarlowObjective,
    InfoNCEConfig,
    InfoNCEObjective,
)
from rl_info.dynamics.representation.infopower import InfoPower, InfoPowerConfig
from rl_info.dynamics.representation.mudreamer import MuDreamerConfig, MuDreamerObjective
from rl_info.dynamics.representation.reconstruction import (
    ReconstructionConfig,
    ReconstructionObjective,
)

Builder = Callable[[ModelContext, Any, torch.Generator], RepresentationObjective]


@dataclass(frozen=True)
class RepresentationEntry:
    """One registered objective."""

    config: type[Any]
    """Its settings, a frozen dataclass."""
    module: Builder
    """Its class, called with context, settings and generator."""
    description: str
    """One line for a list."""
    posterior_reads_memory: bool = True
    """Whether the posterior may read h_t, which contains a_{t−1}, unless the model is told."""


_REGISTERED: dict[str, RepresentationEntry] = {
    "infopower": RepresentationEntry(
        InfoPowerConfig,
        InfoPower,
        "I(o;z) under a constraint: foreseeable, tells action and reward",
        posterior_reads_memory=False,
    ),
    "infonce": RepresentationEntry(
        InfoNCEConfig, InfoNCEObjective, "tell the own observation among all of the batch"
    ),
    "barlow": RepresentationEntry(
        BarlowConfig, BarlowObjective, "correlate with embeddings without redundancy (R2-Dreamer)"
    ),
    "reconstruction": RepresentationEntry(
        ReconstructionConfig, ReconstructionObjective, "draw the observation again (Dreamer)"
    ),
    "mudreamer": RepresentationEntry(
        MuDreamerConfig,
        MuDreamerObjective,
        "predict value and previous action (MuDreamer-like)",
        posterior_reads_memory=False,
    ),
    "bisimulation": RepresentationEntry(
        BisimulationConfig, BisimulationObjective, "as far apart as rewards and futures (DBC-like)"
    ),
}

REPRESENTATIONS: Mapping[str, RepresentationEntry] = MappingProxyType(_REGISTERED)
"""Every registered objective by name; `register_representation` adds one from outside."""


def register_representation(
    name: str,
    config: type[Any],
    module: Builder,
    description: str,
    posterior_reads_memory: bool = True,
) -> None:
    """Make an objective known as `name` in this process.

    Raises ValueError if the name is taken by another objective.
    """
    entry = RepresentationEntry(config, module, description, posterior_reads_memory)
    if _REGISTERED.setdefault(name, entry) != entry:
        raise ValueError(f"a representation objective is already registered as {name!r}")


def find_representation(name: str) -> RepresentationEntry:
    """The objective registered as `name`; ValueError with the nearest name if there is none."""
    entry = REPRESENTATIONS.get(name)
    if entry is None:
        near = get_close_matches(name, REPRESENTATIONS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"unknown representation objective {name!r}; did you mean {near!r}? "
            f"Objectives: {', '.join(REPRESENTATIONS)}"
        )
    return entry


def build_representation(
    name: str, context: ModelContext, config: Any, generator: torch.Generator
) -> RepresentationObjective:
    """Build the objective registered as `name`; None as `config` means its defaults.

    Raises ValueError for an unknown name, with the nearest right one, and TypeError if `config`
    belongs to another objective.
    """
    entry = find_representation(name)
    config = entry.config() if config is None else config
    if not isinstance(config, entry.config):
        raise TypeError(
            f"objective {name!r} is configured by {entry.config.__name__}, "
            f"not by {type(config).__name__}"
        )
    return entry.module(context, config, generator)
