"""DADS: dynamics-aware discovery of skills (Sharma et al., ICLR 2020, arXiv 1907.01657)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.draws import SavedGenerator
from rl_info.rewards.inputs import StateNetworkConfig, needed_signals
from rl_info.rewards.step_input import StepInput
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class DADSConfig(StateNetworkConfig):
    """Settings of the DADS reward."""

    alternatives: int = 100
    """L: skills drawn from the prior with which a continuous skill is compared (paper: up to
    500). Discrete skills are compared with all there are."""
    experts: int = 4
    """Gaussians in the mixture of the skill dynamics."""
    learned_std: bool = False
    """Learn the deviations of the Gaussians; the paper fixes them at 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("alternatives", self.alternatives >= 1, "at least 1")


class DADS(IntrinsicReward):
    """r = log q(s'|s,z) − log (1/L) Σ_i q(s'|s,z_i): predictable, and unlike other skills.

    A sample of I(S';Z|S) in nats, as far as q is the true dynamics. q is a mixture of Gaussians of
    the standardised change s' − s, as in the paper. With discrete skills z_i runs over all D
    skills, so r ≤ ln D. With continuous ones the L alternatives are kept in the state dict and
    drawn anew in every `loss`: the mean over them is noisy, and its logarithm too low on average,
    so r is too high. Values cost L passes of the network for each row.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})
    others: Tensor

    def __init__(
        self, context: RewardContext, config: DADSConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StepInput(context, config.input, config.normaliser_rows)
        self.dynamics = ConditionalGaussianMixture(
            self.state.width + context.skill.dim,
            self.state.width,
            components=config.experts,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            generator=generator,
            unit_std=not config.learned_std,
        )
        self.draws = SavedGenerator(generator)
        self.register_buffer("others", self._draw(torch.device("cpu")))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """−mean log q(s'|s,z) in nats; advances the statistics and draws new alternatives."""
        self.state.learn_step(batch)
        self.others.copy_(self._draw(self.others.device))
        state, change = self.state.step(batch)
        return -self._log_density(change, state, batch.skill).mean(), {}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """log q(s'|s,z) − log mean_i q(s'|s,z_i) in nats."""
        state, change = self.state.step(batch)
        own = self._log_density(change, state, batch.skill)
        count, rows = len(self.others), len(state)
        others = self._log_density(
            change.repeat_interleave(count, dim=0),
            state.repeat_interleave(count, dim=0),
            self.others.repeat(rows, 1),
        )
        return own - others.view(rows, count).logsumexp(dim=-1) + math.log(count)

    def _log_density(
        self,
        change: Float[Tensor, "B D"],
        state: Float[Tensor, "B D"],
        skill: Float[Tensor, "B Z"],
    ) -> Float[Tensor, " B"]:
        return self.dynamics(change, torch.cat([state, skill], dim=-1))

    def _draw(self, device: torch.device) -> Float[Tensor, "L Z"]:
        if self.context.skill.kind == "discrete":
            return torch.eye(self.context.skill.dim, device=device)
        return self.draws.skills(self.context.skill, self.config.alternatives, device)
