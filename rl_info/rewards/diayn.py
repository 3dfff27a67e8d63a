"""DIAYN: diversity is all you need (Eysenbach et al., ICLR 2019, arXiv 1802.06070)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import log_softmax, normalize

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, StateNetworkConfig, needed_signals
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions

SERIES_TERMS = 1000


@dataclass(frozen=True)
class DIAYNConfig(StateNetworkConfig):
    """Settings of the DIAYN reward."""

    concentration: float = 5.0
    """κ of the discriminator's von Mises–Fisher density; continuous skills only."""


class DIAYN(IntrinsicReward):
    """r = log q(z|s') − log p(z), a lower bound on I(S;Z) in nats where its mean is taken.

    Discrete skills: q is a categorical, p(z) = 1/D, so r ≤ ln D. Continuous skills: q is a von
    Mises–Fisher density on the unit sphere with a learned mean direction and the fixed
    concentration κ, and p(z) is uniform on the sphere; r ≤ κ + ln C(κ) + ln(area of the sphere).
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})

    def __init__(
        self, context: RewardContext, config: DIAYNConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        self.discriminator = perceptron(
            self.state.width,
            config.hidden_dim,
            config.hidden_layers,
            context.skill.dim,
            generator,
        )
        dim = context.skill.dim
        if context.skill.kind == "discrete":
            self.log_ratio_offset = math.log(dim)
        else:
            self.log_ratio_offset = log_sphere_area(dim) + log_vmf_constant(
                dim, config.concentration
            )

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Negative log-likelihood of the skill in nats, up to the constant log p(z)."""
        self.state.learn(self.state.select(batch.next_obs, batch.next_signals))
        return -self(batch).mean(), {}

    def forward(self, batch: Transitions) -> Float[Tensor, B]:
        """log q(z|s') − log p(z) in nats."""
        state = self.state.select(batch.next_obs, batch.next_signals)
        output = self.discriminator(self.state(state))
        if self.context.skill.kind == "discrete":
            log_likelihood = (log_softmax(output, dim=-1) * batch.skill).sum(dim=-1)
        else:
            cosine = (normalize(output, dim=-1) * batch.skill).sum(dim=-1)
            log_likelihood = self.config.concentration * cosine
        return log_likelihood + self.log_ratio_offset


def log_sphere_area(dim: int) -> float:
    """ln of the surface 2 π^{d/2} / Γ(d/2) of the unit sphere in `dim` dimensions."""
    return math.log(2.0) + dim / 2 * math.log(math.pi) - math.lgamma(dim / 2)


def log_vmf_constant(dim: int, concentration: float) -> float:
    """ln C of the von Mises–Fisher density C exp(κ μᵀz) on the unit sphere in `dim` dimensions.

    C = κ^ν / ((2π)^{d/2} I_ν(κ)) with ν = d/2 − 1. ln I_ν comes from its power series summed in
    logarithms, which converges within `SERIES_TERMS` terms for κ up to a thousand.

    Raises ValueError unless 0 < κ <= 1000.
    """
    if not 0.0 < concentration <= 1000.0:
        raise ValueError(f"concentration must be in (0, 1000], got {concentration}")
    order = dim / 2 - 1
    log_half = math.log(concentration / 2)
    terms = [
        (2 * k + order) * log_half - math.lgamma(k + 1) - math.lgamma(k + order + 1)
        for k in range(SERIES_TERMS)
    ]
    largest = max(terms)
    log_bessel = largest + math.log(sum(math.exp(term - largest) for term in terms))
    return order * math.log(concentration) - dim / 2 * math.log(2 * math.pi) - log_bessel
