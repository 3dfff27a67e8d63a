"""Koopman dynamics shaped by information, and linear-quadratic control in their latents."""

from __future__ import annotations

from rl_info.dynamics.koopman.build import build_koopman
from rl_info.dynamics.koopman.config import KoopmanConfig
from rl_info.dynamics.koopman.lqr import (
    LatentRegulator,
    NotStabilisableError,
    RegulatorConfig,
    Riccati,
    finite_horizon,
    infinite_horizon,
)
from rl_info.dynamics.koopman.model import KoopmanDynamics, KoopmanObserved
from rl_info.dynamics.koopman.operators import Operators, fit_operators

__all__ = [
    "KoopmanConfig",
    "KoopmanDynamics",
    "KoopmanObserved",
    "LatentRegulator",
    "NotStabilisableError",
    "Operators",
    "RegulatorConfig",
    "Riccati",
    "build_koopman",
    "finite_horizon",
    "fit_operators",
    "infinite_horizon",
]
