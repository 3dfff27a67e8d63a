"""Learners and batches for the tests of soft actor-critic."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners import MultiCriticSAC, RewardTerm, SACConfig
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardConfig, RewardContext
from rl_info.rewards.linear import LinearReward
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

OBS, ACTION = 5, 2
SKILL = SkillSpec("continuous", 3)
SMALL: dict[str, Any] = {"hidden_dim": 16, "layer_norm": False}


class TaskReward(IntrinsicReward):
    """The reward of the environment, times a factor."""

    def __init__(self, context: RewardContext, factor: float = 1.0) -> None:
        super().__init__(context)
        self.factor = factor

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        return self.factor * batch.reward


class LearnedReward(IntrinsicReward):
    """Fits the reward of the environment from the next observation, and pays what it predicts."""

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        self.weight = nn.Parameter(torch.zeros(context.obs_dim))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        loss = (self(batch) - batch.reward).square().mean()
        return loss, {"size": self.weight.detach().norm()}

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        return batch.next_obs @ self.weight


class FeatureReward(IntrinsicReward, LinearReward):
    """The first entries of the next observation as features, read by the skill."""

    feature_dim = SKILL.dim

    def features(self, batch: Transitions) -> Float[Tensor, "B F"]:
        return batch.next_obs[:, : self.feature_dim]

    def readout(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "B F"]:
        return skill

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        return self.read(self.features(batch), batch.skill)


def context(skill: SkillSpec = SKILL) -> RewardContext:
    return RewardContext(OBS, ACTION, skill)


def learner(
    *configs: RewardConfig,
    learned: bool = False,
    features: RewardConfig | None = None,
    seed: int = 0,
    skill: SkillSpec = SKILL,
    **fields: Any,
) -> MultiCriticSAC:
    terms = {
        f"task{k}": RewardTerm(TaskReward(context(skill)), config)
        for k, config in enumerate(configs or (RewardConfig(),))
    }
    if learned:
        terms["learned"] = RewardTerm(LearnedReward(context(skill)), RewardConfig())
    if features is not None:
        terms["features"] = RewardTerm(FeatureReward(context(skill)), features)
    config = SACConfig(**{**SMALL, **fields})
    return MultiCriticSAC(OBS, ACTION, skill, terms, config, seed=seed)


def batch(size: int = 32, seed: int = 0, **changes: Tensor) -> Transitions:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    fields: dict[str, Any] = {
        "obs": draw(size, OBS),
        "action": draw(size, ACTION).tanh(),
        "reward": draw(size),
        "next_obs": draw(size, OBS),
        "terminated": torch.rand(size, generator=generator) < 0.2,
        "truncated": torch.rand(size, generator=generator) < 0.2,
        "skill": SKILL.sample(size, generator),
    }
    return Transitions(**{**fields, **changes}, signals={}, next_signals={})
