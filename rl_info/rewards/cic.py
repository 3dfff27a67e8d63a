"""CIC: contrastive intrinsic control (Laskin et al., NeurIPS 2022, arXiv 2202.00161)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from rl_info.nn.perceptron import perceptron
from rl_info.objectives import info_nce
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.inputs import StateInput, needed_signals
from rl_info.rewards.particles import ParticleConfig, ParticleEntropy
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class CICConfig(ParticleConfig):
    """Settings of the CIC reward."""

    neighbours: int = 16
    """k: nearest neighbours whose distances are averaged."""
    relative_distance: bool = True
    """Divide distances by their running mean: only angles of the embeddings are learned, so
    their lengths mean nothing."""
    form: Literal["paper", "code"] = "paper"
    """`paper`: contrastive term plus particle entropy; `code`: the particle entropy alone, as the
    released code has it."""
    feature_dim: int = 64
    """Dimension of the embeddings of states, transitions and skills."""
    temperature: float = 0.5
    """T of the contrastive loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("temperature", 0 < self.temperature < math.inf, "finite and positive")


class CIC(IntrinsicReward):
    """r = log(e^{c(τ,z)/T} / mean_j e^{c(τ_j,z)/T}) + log(1 + mean distance to k nearest τ_j).

    τ = (s, s'), c the cosine of learned embeddings of τ and z, trained by InfoNCE. The first term
    estimates a lower bound of I(τ;Z) in nats on average, at most 2/T; the second is a particle
    entropy of τ's embedding. The form of the released code rewards the entropy of the embedding of
    s' alone. τ_j are steps of earlier batches, not of the same one.
    Limits: the paper draws z uniformly from [0, 1]^64, here it is uniform on the sphere, or one of
    D; with few discrete skills many rows of a batch are false negatives.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})

    def __init__(
        self, context: RewardContext, config: CICConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        width, features = self.state.width, config.feature_dim
        layers = (config.hidden_dim, config.hidden_layers)
        self.state_net = perceptron(width, *layers, features, generator)
        self.step_net = perceptron(2 * features, *layers, features, generator)
        self.skill_net = perceptron(context.skill.dim, *layers, features, generator)
        self.particles = ParticleEntropy(config, 2 * width)

    def embed_steps(self, steps: Float[Tensor, "B twoD"]) -> Float[Tensor, "B F"]:
        """Embeddings of transitions, given as raw s beside s'."""
        before, after = steps.chunk(2, dim=-1)
        states = self.state_net(self.state(torch.cat([before, after])))
        return self.step_net(torch.cat(states.chunk(2), dim=-1))

    def embed_next_states(self, steps: Float[Tensor, "B twoD"]) -> Float[Tensor, "B F"]:
        """Embeddings of s' of transitions, given as raw s beside s'."""
        return self.state_net(self.state(steps.chunk(2, dim=-1)[1]))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """InfoNCE of finding each skill's step, in nats; advances statistics and reference.

        Raises ValueError for a single row, which has no negatives.
        """
        self.state.learn(self.state.select(batch.obs, batch.signals))
        steps = self._steps(batch)
        self.particles.learn(steps, self._encode)
        loss = info_nce(
            self.skill_net(batch.skill),
            self.embed_steps(steps),
            self.config.temperature,
            symmetric=False,
        )
        return loss, {"information": math.log(len(steps)) - loss.detach()}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Contrastive term plus particle entropy, or the entropy alone; 0 without reference."""
        steps = self._steps(batch)
        entropy = self.particles(self._encode(steps), self._encode)
        return entropy if self.config.form == "code" else entropy + self._contrast(steps, batch)

    def _encode(self, steps: Float[Tensor, "B twoD"]) -> Float[Tensor, "B F"]:
        """The embedding whose entropy is rewarded."""
        paper = self.config.form == "paper"
        return self.embed_steps(steps) if paper else self.embed_next_states(steps)

    def _contrast(self, steps: Float[Tensor, "B twoD"], batch: Transitions) -> Float[Tensor, " B"]:
        """log(e^{c/T} / mean_j e^{c_j/T}) over the usable reference steps."""
        skill = normalize(self.skill_net(batch.skill), dim=-1) / self.config.temperature
        own = (skill * normalize(self.embed_steps(steps), dim=-1)).sum(dim=-1)
        reference = self.particles.reference
        others = skill @ normalize(self.embed_steps(reference.rows), dim=-1).T
        # A mean of e^(c_j/T) whose empty sum must not become −∞.
        weight = reference.usable.to(others.dtype)
        largest = 1.0 / self.config.temperature
        total = (torch.exp(others - largest) * weight).sum(dim=-1)
        mean = total / weight.sum().clamp_min(1.0)
        return torch.where(weight.any(), own - largest - mean.clamp_min(1e-30).log(), 0.0)

    def _steps(self, batch: Transitions) -> Float[Tensor, "B twoD"]:
        """Raw s beside s'."""
        return torch.cat(self.state.both(batch).chunk(2), dim=-1)
