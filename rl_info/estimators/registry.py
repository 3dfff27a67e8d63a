"""Estimators of mutual information by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import torch

from rl_info.estimators.adaptive_binning import AdaptiveBinning, AdaptiveBinningConfig
from rl_info.estimators.adaptive_kde import AdaptiveKDE, AdaptiveKDEConfig
from rl_info.estimators.barber_agakov import BarberAgakov, BarberAgakovConfig
from rl_info.estimators.base import Estimator, EstimatorConfig
from rl_info.estimators.cauchy_schwarz import CauchySchwarz, CauchySchwarzConfig
from rl_info.estimators.cca import CCA, CCAConfig
from rl_info.estimators.club import CLUB, CLUBConfig
from rl_info.estimators.compressed import Compressed, CompressedConfig
from rl_info.estimators.diffusion import Diffusion, DiffusionConfig
from rl_info.estimators.entropy_difference import (
    DifferenceOfEntropies,
    DifferenceOfEntropiesConfig,
)
from rl_info.estimators.gaussian_copula import GaussianCopula, GaussianCopulaConfig
from rl_info.estimators.kozachenko_leonenko import (
    KozachenkoLeonenko,
    KozachenkoLeonenkoConfig,
)
from rl_info.estimators.ksg import KSG, KSGConfig
from rl_info.estimators.leave_one_out import LeaveOneOut, LeaveOneOutConfig
from rl_info.estimators.minde import MINDE
from rl_info.estimators.minde_config import MINDEConfig
from rl_info.estimators.mist import MIST, MISTConfig
from rl_info.estimators.mixed_ksg import MixedKSG, MixedKSGConfig
from rl_info.estimators.sliced import Sliced, SlicedConfig
from rl_info.estimators.student import StudentConfig, StudentT
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
    WPCConfig,
)
from rl_info.estimators.weighted_kozachenko_leonenko import (
    WeightedKozachenkoLeonenko,
    WeightedKozachenkoLeonenkoConfig,
)


@dataclass(frozen=True)
class EstimatorEntry:
    """One registered estimator."""

    config: type[EstimatorConfig]
    """Its settings."""
    estimator: Callable[..., Estimator]
    """Its class, called with settings, `seed` and `device`."""
    description: str
    """One line for a list."""


_REGISTERED: dict[str, EstimatorEntry] = {
    "cca": EstimatorEntry(CCAConfig, CCA, "canonical correlations: exact for normal samples"),
    "gaussian_copula": EstimatorEntry(
        GaussianCopulaConfig, GaussianCopula, "ranks made normal, then canonical correlations"
    ),
    "student": EstimatorEntry(
        StudentConfig, StudentT, "closed form of the likeliest Student-t law: for heavy tails"
    ),
    "cauchy_schwarz": EstimatorEntry(
        CauchySchwarzConfig, CauchySchwarz, "Cauchy–Schwarz quadratic information, not Shannon's"
    ),
    "diffusion": EstimatorEntry(
        DiffusionConfig, Diffusion, "diffusion spectral information, not Shannon's"
    ),
    "adaptive_binning": EstimatorEntry(
        AdaptiveBinningConfig, AdaptiveBinning, "counts in bins of equally many distinct values"
    ),
    "adaptive_kde": EstimatorEntry(
        AdaptiveKDEConfig, AdaptiveKDE, "kernel densities with noise that suits the spread"
    ),
    "barber_agakov": EstimatorEntry(
        BarberAgakovConfig, BarberAgakov, "learned q(y|x), a bound where the entropy of y is known"
    ),
    "club": EstimatorEntry(
        CLUBConfig, CLUB, "learned q(y|x), own pairs against others; a bound only with the true one"
    ),
    "leave_one_out": EstimatorEntry(
        LeaveOneOutConfig, LeaveOneOut, "learned q(y|x) against its mean over the other pairs"
    ),
    "difference_of_entropies": EstimatorEntry(
        DifferenceOfEntropiesConfig,
        DifferenceOfEntropies,
        "entropies of y and of y given x from learned mixtures of Gaussians",
    ),
    "minde": EstimatorEntry(
        MINDEConfig, MINDE, "how much knowing y helps a learned denoiser of x at all noise levels"
    ),
    "infonce": EstimatorEntry(InfoNCEConfig, InfoNCE, "contrastive lower bound, at most ln K"),
    "nwj": EstimatorEntry(NWJConfig, NWJ, "f-divergence lower bound, variance grows as e^I"),
    "donsker_varadhan": EstimatorEntry(
        DonskerVaradhanConfig,
        DonskerVaradhan,
        "ln of a mean of e^f: tight, no bound in samples",
    ),
    "mine": EstimatorEntry(MINEConfig, MINE, "Donsker–Varadhan with the gradient's bias corrected"),
    "jsd": EstimatorEntry(JSDConfig, JSD, "critic of the logistic loss, read by NWJ"),
    "smile": EstimatorEntry(SMILEConfig, SMILE, "clipped Donsker–Varadhan: low variance, biased"),
    "tuba": EstimatorEntry(TUBAConfig, TUBA, "NWJ with a learned offset a(x)"),
    "interpolated": EstimatorEntry(
        InterpolatedConfig, Interpolated, "I_α between InfoNCE and TUBA, at most 1 + ln(K / α)"
    ),
    "flo": EstimatorEntry(FLOConfig, FLO, "Fenchel–Legendre lower bound with a second critic"),
    "meco": EstimatorEntry(MECOConfig, MECO, "maximum likelihood, the partition function tracked"),
    "wpc": EstimatorEntry(WPCConfig, WPC, "InfoNCE of a 1-Lipschitz critic: for representations"),
    "mist": EstimatorEntry(
        MISTConfig, MIST, "a trained network: quantiles for 10 to 500 samples at once"
    ),
    "ksg": EstimatorEntry(KSGConfig, KSG, "counts of neighbours within the k-th of the pair"),
    "mixed_ksg": EstimatorEntry(
        MixedKSGConfig, MixedKSG, "the same for values that repeat: discrete, continuous or both"
    ),
    "kozachenko_leonenko": EstimatorEntry(
        KozachenkoLeonenkoConfig, KozachenkoLeonenko, "three entropies from neighbour distances"
    ),
    "weighted_kozachenko_leonenko": EstimatorEntry(
        WeightedKozachenkoLeonenkoConfig,
        WeightedKozachenkoLeonenko,
        "three entropies, neighbours weighted so that their bias cancels",
    ),
    "sliced": EstimatorEntry(
        SlicedConfig, Sliced, "mean over random projections: zero only if independent, at most I"
    ),
    "compressed": EstimatorEntry(
        CompressedConfig, Compressed, "counts of neighbours among learned codes of few columns"
    ),
}

ESTIMATORS: Mapping[str, EstimatorEntry] = MappingProxyType(_REGISTERED)
"""Every estimator by name."""


def build_estimator(
    name: str,
    config: EstimatorConfig | None = None,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    **settings: Any,
) -> Estimator:
    """Build the estimator registered as `name`, with `config` or with `settings` of its own config.

    Raises ValueError for an unknown name (with the nearest right one) and TypeError if `config`
    belongs to another estimator, or if a setting is unknown or both are given.
    """
    entry = ESTIMATORS.get(name)
    if entry is None:
        near = get_close_matches(name, ESTIMATORS, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"unknown estimator {name!r}{hint} Estimators: {', '.join(ESTIMATORS)}")
    if config is not None and settings:
        raise TypeError("give an estimator either a config or single settings, not both")
    chosen = entry.config(**settings) if config is None else config
    if not isinstance(chosen, entry.config):
        raise TypeError(
            f"estimator {name!r} is configured by {entry.config.__name__}, "
            f"not by {type(chosen).__name__}"
        )
    return entry.estimator(chosen, seed=seed, device=device)
