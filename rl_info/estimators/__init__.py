"""Estimators of information, in nats: every name that their users need.

By name through `build_estimator`, by class, as pure functions, and composed to conditional and
multivariate information; `mutual_information` chooses one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rl_info.estimators.adaptive_binning import AdaptiveBinning, AdaptiveBinningConfig
from rl_info.estimators.adaptive_kde import AdaptiveKDE, AdaptiveKDEConfig
from rl_info.estimators.barber_agakov import BarberAgakov, BarberAgakovConfig, barber_agakov_bound
from rl_info.estimators.base import (
    Bound,
    Estimate,
    Estimator,
    EstimatorConfig,
    Progress,
)
from rl_info.estimators.cauchy_schwarz import (
    CauchySchwarz,
    CauchySchwarzConfig,
    cauchy_schwarz_information,
    silverman_bandwidth,
)
from rl_info.estimators.cca import (
    CCA,
    CCAConfig,
    gaussian_information,
    gaussian_information_of_covariance,
)
from rl_info.estimators.club import CLUB, CLUBConfig, club_bound
from rl_info.estimators.compressed import Compressed, CompressedConfig
from rl_info.estimators.conditional_pairs import PairConfig, PairEstimator
from rl_info.estimators.critics import (
    CRITICS,
    BilinearCritic,
    CriticName,
    CriticSize,
    DistanceCritic,
    JointCritic,
    SeparableCritic,
)
from rl_info.estimators.density_estimator import DensityEstimator
from rl_info.estimators.diffusion import (
    Diffusion,
    DiffusionConfig,
    diffusion_spectral_entropy,
    diffusion_spectral_information,
)
from rl_info.estimators.entropy_difference import (
    DifferenceOfEntropies,
    DifferenceOfEntropiesConfig,
    difference_of_entropies,
)
from rl_info.estimators.fitted_densities import DensityConfig, LogDensity
from rl_info.estimators.gaussian_copula import GaussianCopula, GaussianCopulaConfig
from rl_info.estimators.inputs import (
    ConstantColumnWarning,
    DiscreteDataWarning,
    EstimatorWarning,
    HeavyTailWarning,
    IncompleteCorrectionWarning,
    LikelyLowWarning,
    LooseBoundWarning,
    NotABoundWarning,
    Samples,
    SaturatedWarning,
    TiedSamplesWarning,
)
from rl_info.estimators.kozachenko_leonenko import (
    KozachenkoLeonenko,
    KozachenkoLeonenkoConfig,
    entropy_kl,
)
from rl_info.estimators.ksg import KSG, KSGConfig
from rl_info.estimators.leave_one_out import LeaveOneOut, LeaveOneOutConfig, leave_one_out_bound
from rl_info.estimators.margins import Margins
from rl_info.estimators.minde import MINDE
from rl_info.estimators.minde_config import MINDEConfig
from rl_info.estimators.mist import MIST, BeyondTrainingWarning, MISTConfig
from rl_info.estimators.mixed_ksg import MixedKSG, MixedKSGConfig
from rl_info.estimators.neighbour_estimator import NeighbourConfig, NeighbourEstimator
from rl_info.estimators.neighbours import Norm
from rl_info.estimators.noise_levels import score_information
from rl_info.estimators.plug_in import discrete_entropy, discrete_information
from rl_info.estimators.registry import ESTIMATORS, EstimatorEntry, build_estimator
from rl_info.estimators.sliced import Sliced, SlicedConfig
from rl_info.estimators.student import StudentConfig, StudentT
from rl_info.estimators.training_config import TrainingConfig
from rl_info.estimators.variational import (
    FLO,
    JSD,
    MECO,
    MINE,
    NWJ,
    SMILE,
    TUBA,
    WPC,
    DonskerVaradhan,
    DonskerVaradhanConfig,
    FLOConfig,
    InfoNCE,
    InfoNCEConfig,
    Interpolated,
    InterpolatedConfig,
    JSDConfig,
    MECOConfig,
    MINEConfig,
    NWJConfig,
    SMILEConfig,
    TUBAConfig,
    VariationalConfig,
    VariationalEstimator,
    WPCConfig,
    donsker_varadhan_bound,
    flo_bound,
    gradient_penalty,
    infonce_bound,
    interpolated_bound,
    jensen_shannon_bound,
    nwj_bound,
    smile_bound,
    track_log_partition,
    tracked_partition_bound,
    tuba_bound,
    wasserstein_dependency,
)
from rl_info.estimators.weighted_kozachenko_leonenko import (
    WeightedKozachenkoLeonenko,
    WeightedKozachenkoLeonenkoConfig,
    bias_cancelling_weights,
    entropy_weighted_kl,
)

if TYPE_CHECKING:
    from rl_info.estimators.choice import Choice
    from rl_info.estimators.choose import ChosenEstimate, choose_estimator, mutual_information
    from rl_info.estimators.compositions import (
        conditional_information,
        dual_total_correlation,
        total_correlation,
    )
    from rl_info.estimators.mixed_neighbours import label_information
    from rl_info.estimators.particles import particle_entropy, particle_rewards

__all__ = [
    "CCA",
    "CLUB",
    "CRITICS",
    "ESTIMATORS",
    "FLO",
    "JSD",
    "KSG",
    "MECO",
    "MINDE",
    "MINE",
    "MIST",
    "NWJ",
    "SMILE",
    "TUBA",
    "WPC",
    "AdaptiveBinning",
    "AdaptiveBinningConfig",
    "AdaptiveKDE",
    "AdaptiveKDEConfig",
    "BarberAgakov",
    "BarberAgakovConfig",
    "BeyondTrainingWarning",
    "BilinearCritic",
    "Bound",
    "CCAConfig",
    "CLUBConfig",
    "CauchySchwarz",
    "CauchySchwarzConfig",
    "Choice",
    "ChosenEstimate",
    "Compressed",
    "CompressedConfig",
    "ConstantColumnWarning",
    "CriticName",
    "CriticSize",
    "DensityConfig",
    "DensityEstimator",
    "DifferenceOfEntropies",
    "DifferenceOfEntropiesConfig",
    "Diffusion",
    "DiffusionConfig",
    "DiscreteDataWarning",
    "DistanceCritic",
    "DonskerVaradhan",
    "DonskerVaradhanConfig",
    "Estimate",
    "Estimator",
    "EstimatorConfig",
    "EstimatorEntry",
    "EstimatorWarning",
    "FLOConfig",
    "GaussianCopula",
    "GaussianCopulaConfig",
    "HeavyTailWarning",
    "IncompleteCorrectionWarning",
    "InfoNCE",
    "InfoNCEConfig",
    "Interpolated",
    "InterpolatedConfig",
    "JSDConfig",
    "JointCritic",
    "KSGConfig",
    "KozachenkoLeonenko",
    "KozachenkoLeonenkoConfig",
    "LeaveOneOut",
    "LeaveOneOutConfig",
    "LikelyLowWarning",
    "LogDensity",
    "LooseBoundWarning",
    "MECOConfig",
    "MINDEConfig",
    "MINEConfig",
    "MISTConfig",
    "Margins",
    "MixedKSG",
    "MixedKSGConfig",
    "NWJConfig",
    "NeighbourConfig",
    "NeighbourEstimator",
    "Norm",
    "NotABoundWarning",
    "PairConfig",
    "PairEstimator",
    "Progress",
    "SMILEConfig",
    "Samples",
    "SaturatedWarning",
    "SeparableCritic",
    "Sliced",
    "SlicedConfig",
    "StudentConfig",
    "StudentT",
    "TUBAConfig",
    "TiedSamplesWarning",
    "TrainingConfig",
    "VariationalConfig",
    "VariationalEstimator",
    "WPCConfig",
    "WeightedKozachenkoLeonenko",
    "WeightedKozachenkoLeonenkoConfig",
    "barber_agakov_bound",
    "bias_cancelling_weights",
    "build_estimator",
    "cauchy_schwarz_information",
    "choose_estimator",
    "club_bound",
    "conditional_information",
    "difference_of_entropies",
    "diffusion_spectral_entropy",
    "diffusion_spectral_information",
    "discrete_entropy",
    "discrete_information",
    "donsker_varadhan_bound",
    "dual_total_correlation",
    "entropy_kl",
    "entropy_weighted_kl",
    "flo_bound",
    "gaussian_information",
    "gaussian_information_of_covariance",
    "gradient_penalty",
    "infonce_bound",
    "interpolated_bound",
    "jensen_shannon_bound",
    "label_information",
    "leave_one_out_bound",
    "mutual_information",
    "nwj_bound",
    "particle_entropy",
    "particle_rewards",
    "score_information",
    "silverman_bandwidth",
    "smile_bound",
    "total_correlation",
    "track_log_partition",
    "tracked_partition_bound",
    "tuba_bound",
    "wasserstein_dependency",
]

_ON_DEMAND = {
    "Choice": "choice",
    "ChosenEstimate": "choose",
    "choose_estimator": "choose",
    "mutual_information": "choose",
    "conditional_information": "compositions",
    "dual_total_correlation": "compositions",
    "total_correlation": "compositions",
    "label_information": "mixed_neighbours",
    "particle_entropy": "particles",
    "particle_rewards": "particles",
}
"""Names by module, of modules that no registered estimator needs."""


def __getattr__(name: str) -> Any:
    # What uses the registry itself would be a circle, and the rest need not slow every import.
    if name in _ON_DEMAND:
        return getattr(import_module(f"{__name__}.{_ON_DEMAND[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
