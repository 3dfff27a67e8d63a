"""What happens next, in latents: world models, and what their latents are made to keep."""

from __future__ import annotations

from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.diagnostics import world_model_diagnostics
from rl_info.dynamics.kl import BalancedKL, balanced_kl
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.representation import (
    REPRESENTATIONS,
    ObservationSpec,
    RepresentationObjective,
    build_representation,
    register_representation,
)
from rl_info.dynamics.rssm import RSSM
from rl_info.dynamics.sizes import SIZES, WorldModelSize
from rl_info.dynamics.world_model import WorldModel, WorldModelConfig

__all__ = [
    "REPRESENTATIONS",
    "RSSM",
    "SIZES",
    "BalancedKL",
    "Latent",
    "ObservationSpec",
    "RepresentationObjective",
    "SequenceBatch",
    "WorldModel",
    "WorldModelConfig",
    "WorldModelSize",
    "balanced_kl",
    "build_representation",
    "register_representation",
    "world_model_diagnostics",
]
