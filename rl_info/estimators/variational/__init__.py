"""Estimators that learn a critic, and their bounds as functions of a matrix of scores."""

from rl_info.estimators.variational.base import VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.donsker_varadhan import (
    DonskerVaradhan,
    DonskerVaradhanConfig,
    donsker_varadhan_bound,
)
from rl_info.estimators.variational.flo import FLO, FLOConfig, flo_bound
from rl_info.estimators.variational.infonce import InfoNCE, InfoNCEConfig, infonce_bound
from rl_info.estimators.variational.interpolated import (
    Interpolated,
    InterpolatedConfig,
    interpolated_bound,
)
from rl_info.estimators.variational.jsd import JSD, JSDConfig, jensen_shannon_bound
from rl_info.estimators.variational.meco import MECO, MECOConfig
from rl_info.estimators.variational.mine import MINE, MINEConfig
from rl_info.estimators.variational.nwj import NWJ, NWJConfig, nwj_bound
from rl_info.estimators.variational.smile import SMILE, SMILEConfig, smile_bound
from rl_info.estimators.variational.tracked_partition import (
    track_log_partition,
    tracked_partition_bound,
)
from rl_info.estimators.variational.tuba import TUBA, TUBAConfig, tuba_bound
from rl_info.estimators.variational.wpc import (
    WPC,
    WPCConfig,
    gradient_penalty,
    wasserstein_dependency,
)

__all__ = [
    "FLO",
    "JSD",
    "MECO",
    "MINE",
    "NWJ",
    "SMILE",
    "TUBA",
    "WPC",
    "DonskerVaradhan",
    "DonskerVaradhanConfig",
    "FLOConfig",
    "InfoNCE",
    "InfoNCEConfig",
    "Interpolated",
    "InterpolatedConfig",
    "JSDConfig",
    "MECOConfig",
    "MINEConfig",
    "NWJConfig",
    "SMILEConfig",
    "TUBAConfig",
    "VariationalConfig",
    "VariationalEstimator",
    "WPCConfig",
    "donsker_varadhan_bound",
    "flo_bound",
    "gradient_penalty",
    "infonce_bound",
    "interpolated_bound",
    "jensen_shannon_bound",
    "nwj_bound",
    "smile_bound",
    "track_log_partition",
    "tracked_partition_bound",
    "tuba_bound",
    "wasserstein_dependency",
]
