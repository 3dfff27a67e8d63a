"""What a world model's latents are made to keep: objectives by name, injected into the model."""

from __future__ import annotations

from rl_info.dynamics.representation.base import (
    ModelContext,
    ObservationSpec,
    Observed,
    RepresentationObjective,
)
from rl_info.dynamics.representation.registry import (
    REPRESENTATIONS,
    build_representation,
    register_representation,
)

__all__ = [
    "REPRESENTATIONS",
    "ModelContext",
    "ObservationSpec",
    "Observed",
    "RepresentationObjective",
    "build_representation",
    "register_representation",
]
