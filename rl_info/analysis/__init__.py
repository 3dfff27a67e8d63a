"""What representations keep, forget and look like, in nats where they are information."""

from __future__ import annotations

from rl_info.analysis.behavioural_similarity import (
    BehaviouralSimilarity,
    GaussianEdgeKernel,
    behavioural_similarity,
    linear_edge_kernel,
)
from rl_info.analysis.information_plane import (
    AdaptiveLayerBinning,
    AdaptiveLayerKDE,
    FixedBinning,
    InformationPlane,
    information_plane,
)
from rl_info.analysis.koopman_information import accumulated_noise, koopman_information
from rl_info.analysis.spectral_entropy import (
    DiffusionSpectralMeasure,
    diffusion_spectral_entropy,
    diffusion_spectral_information,
)
from rl_info.analysis.von_neumann import (
    CollapseDiagnostic,
    collapse_diagnostic,
    latent_entropy,
    von_neumann_entropy,
)

__all__ = [
    "AdaptiveLayerBinning",
    "AdaptiveLayerKDE",
    "BehaviouralSimilarity",
    "CollapseDiagnostic",
    "DiffusionSpectralMeasure",
    "FixedBinning",
    "GaussianEdgeKernel",
    "InformationPlane",
    "accumulated_noise",
    "behavioural_similarity",
    "collapse_diagnostic",
    "diffusion_spectral_entropy",
    "diffusion_spectral_information",
    "information_plane",
    "koopman_information",
    "latent_entropy",
    "linear_edge_kernel",
    "von_neumann_entropy",
]
