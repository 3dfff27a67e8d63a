"""Objectives of representations: pure functions of embeddings, most of them in nats.

Each returns a scalar to be minimised, or that scalar with its terms, and names its paper, its
equation and its limits.
"""

from rl_info.objectives.amcl import adaptive_multi_head, adaptive_temperature
from rl_info.objectives.barlow import barlow_twins, redundancy_reduction
from rl_info.objectives.cacr import attraction_repulsion
from rl_info.objectives.checks import Metrics
from rl_info.objectives.cs_bottleneck import (
    cauchy_schwarz_bottleneck,
    cauchy_schwarz_information,
    conditional_cauchy_schwarz_divergence,
    normalised_cauchy_schwarz_information,
)
from rl_info.objectives.dcl import decoupled_contrastive, weighted_decoupled_contrastive
from rl_info.objectives.geometry import uniformity
from rl_info.objectives.info_nce import info_nce, nt_xent
from rl_info.objectives.ithp import hierarchical_bottleneck
from rl_info.objectives.mim import (
    contrastive_mutual_information_machine,
    mutual_information_machine,
)
from rl_info.objectives.mmcr import manifold_capacity
from rl_info.objectives.multi_view import mv_dhel, mv_info_nce
from rl_info.objectives.sepclr import common_and_salient
from rl_info.objectives.symile import symile
from rl_info.objectives.vib import rate, variational_bottleneck

__all__ = [
    "Metrics",
    "adaptive_multi_head",
    "adaptive_temperature",
    "attraction_repulsion",
    "barlow_twins",
    "cauchy_schwarz_bottleneck",
    "cauchy_schwarz_information",
    "common_and_salient",
    "conditional_cauchy_schwarz_divergence",
    "contrastive_mutual_information_machine",
    "decoupled_contrastive",
    "hierarchical_bottleneck",
    "info_nce",
    "manifold_capacity",
    "mutual_information_machine",
    "mv_dhel",
    "mv_info_nce",
    "normalised_cauchy_schwarz_information",
    "nt_xent",
    "rate",
    "redundancy_reduction",
    "symile",
    "uniformity",
    "variational_bottleneck",
    "weighted_decoupled_contrastive",
]
