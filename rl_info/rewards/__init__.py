"""Rewards by name. A new reward is one file and one line of `_REGISTERED`, or `register_reward`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import torch

from rl_info.rewards.aps import APS, APSConfig
from rl_info.rewards.apt import APT, APTConfig
from rl_info.rewards.base import IntrinsicReward, RewardConfig, RewardContext
from rl_info.rewards.cic import CIC, CICConfig
from rl_info.rewards.contrastive_ucb import ContrastiveUCB, ContrastiveUCBConfig
from rl_info.rewards.csd import CSD, CSDConfig
from rl_info.rewards.csf import CSF, CSFConfig
from rl_info.rewards.dads import DADS, DADSConfig
from rl_info.rewards.diayn import DIAYN, DIAYNConfig
from rl_info.rewards.disagreement import Disagreement, DisagreementConfig
from rl_info.rewards.empowerment import Empowerment, EmpowermentConfig
from rl_info.rewards.lsd import LSD, LSDConfig
from rl_info.rewards.metra import METRA, METRAConfig
from rl_info.rewards.reach import Reach, ReachConfig
from rl_info.rewards.rnd import RND, RNDConfig
from rl_info.rewards.safety import Safety, SafetyConfig
from rl_info.rewards.smm import SMM, SMMConfig
from rl_info.rewards.task import TaskConfig, TaskReward
from rl_info.rewards.tldr import TLDR, TLDRConfig

__all__ = [
    "REWARDS",
    "IntrinsicReward",
    "RewardConfig",
    "RewardContext",
    "RewardEntry",
    "TaskConfig",
    "TaskReward",
    "build_reward",
    "register_reward",
]


@dataclass(frozen=True)
class RewardEntry:
    """One registered reward."""

    config: type[RewardConfig]
    """Its settings."""
    module: Callable[[RewardContext, Any, torch.Generator], IntrinsicReward]
    """Its class, called with context, settings and generator."""
    description: str
    """One line for a list."""


_REGISTERED: dict[str, RewardEntry] = {
    "task": RewardEntry(TaskConfig, TaskReward, "the environment's own reward"),
    "diayn": RewardEntry(DIAYNConfig, DIAYN, "log q(z|s') − log p(z): tell skills apart"),
    "lsd": RewardEntry(LSDConfig, LSD, "(φ(s') − φ(s))ᵀz, φ Lipschitz in the state: go far"),
    "metra": RewardEntry(METRAConfig, METRA, "(φ(s') − φ(s))ᵀz, φ Lipschitz in time: cover"),
    "dads": RewardEntry(
        DADSConfig, DADS, "log q(s'|s,z) − log mean_i q(s'|s,z_i): predictable skills"
    ),
    "csd": RewardEntry(
        CSDConfig, CSD, "(φ(s') − φ(s))ᵀz, φ bounded by how unlikely a step is: control the hard"
    ),
    "csf": RewardEntry(
        CSFConfig, CSF, "(φ(s') − φ(s))ᵀz, φ kept short by contrast with other skills: cover"
    ),
    "tldr": RewardEntry(
        TLDRConfig,
        TLDR,
        "‖φ(g) − φ(s)‖ − ‖φ(g) − φ(s')‖, distances in steps: reach the skill's goal",
    ),
    "aps": RewardEntry(
        APSConfig,
        APS,
        "particle entropy of φ(s') plus cosine of φ(s') and z: explore, stay tellable",
    ),
    "cic": RewardEntry(
        CICConfig, CIC, "contrast of (s,s') with z plus particle entropy of (s,s'): diverse steps"
    ),
    "apt": RewardEntry(APTConfig, APT, "log(1 + mean distance to the k nearest states): spread"),
    "smm": RewardEntry(
        SMMConfig, SMM, "−log ρ(s'|z) + log q(z|s') − log p(z): match a uniform state marginal"
    ),
    "rnd": RewardEntry(
        RNDConfig, RND, "error in predicting a random network at s': go where it is new"
    ),
    "disagreement": RewardEntry(
        DisagreementConfig, Disagreement, "variance of forward models: act where they differ"
    ),
    "contrastive_ucb": RewardEntry(
        ContrastiveUCBConfig,
        ContrastiveUCB,
        "β √(φ(s,a)ᵀ Λ⁻¹ φ(s,a)), φ contrastive: optimism in low rank",
    ),
    "empowerment": RewardEntry(
        EmpowermentConfig, Empowerment, "log q(a|s,s') − log ω(a|s): act so that it shows"
    ),
    "reach": RewardEntry(ReachConfig, Reach, "falls with the distance from gripper to object"),
    "safety": RewardEntry(SafetyConfig, Safety, "−violation of the environment's limits"),
}

REWARDS: Mapping[str, RewardEntry] = MappingProxyType(_REGISTERED)
"""Every registered reward by name; `register_reward` adds one from outside the package."""


def register_reward(
    name: str,
    config: type[RewardConfig],
    module: Callable[[RewardContext, Any, torch.Generator], IntrinsicReward],
    description: str,
) -> None:
    """Make a reward known as `name` to configs, learners and run folders of this process.

    Raises ValueError if the name is taken by another reward.
    """
    entry = RewardEntry(config, module, description)
    if _REGISTERED.setdefault(name, entry) != entry:
        raise ValueError(f"a reward is already registered as {name!r}")


def build_reward(
    name: str, context: RewardContext, config: RewardConfig, generator: torch.Generator
) -> IntrinsicReward:
    """Build the reward registered as `name`; `generator` draws its initial parameters.

    Raises ValueError for an unknown name (with the nearest right one) or an unsuitable context,
    and TypeError if `config` belongs to another reward.
    """
    entry = REWARDS.get(name)
    if entry is None:
        near = get_close_matches(name, REWARDS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"unknown reward {name!r}; did you mean {near!r}? Rewards: {', '.join(REWARDS)}"
        )
    if not isinstance(config, entry.config):
        raise TypeError(
            f"reward {name!r} is configured by {entry.config.__name__}, "
            f"not by {type(config).__name__}"
        )
    return entry.module(context, config, generator)
