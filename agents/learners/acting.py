"""What learners of several rewards have in common: their rewards, their state, and a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.actor import Actor
from agents.learners.network_config import NetworkConfig
from agents.learners.reward_set import RewardSet
from agents.learners.reward_term import RewardTerm
from agents.learners.saved_state import LearnerParts, learner_shape
from agents.learners.state_vector import StateVector
from rl_info.nn import FlatAdam, RunningScale
from rl_info.skills import SkillSpec


@dataclass(frozen=True)
class ActingAgent:
    """Rewards, the state that networks see, the scales of values, and a policy.

    The state is the (normalised) observation, the skill and a constant 1. The first random numbers
    of the generator are the parameters of the actor.
    """

    terms: RewardSet
    state: StateVector
    shape: dict[str, int]
    """Sizes that a saved learner must have in common with this one."""
    scale: RunningScale
    actor: Actor
    generator: torch.Generator
    device: torch.device

    @classmethod
    def build(
        cls,
        obs_dim: int,
        action_dim: int,
        skill: SkillSpec,
        rewards: Mapping[str, RewardTerm],
        config: NetworkConfig,
        seed: int,
        device: torch.device | str,
        commandable_weights: bool,
    ) -> ActingAgent:
        """Fresh parts; raises ValueError as `RewardSet`."""
        device = torch.device(device)
        generator = torch.Generator(device).manual_seed(seed)
        columns = skill.dim if commandable_weights else None
        terms = RewardSet(rewards, config.adam_betas, device, config.sum_rewards, columns)
        state = StateVector(
            obs_dim, skill.dim + terms.commands, config.normalise_observations, device
        )
        shape = learner_shape(obs_dim, action_dim, skill.dim, terms)
        scale = RunningScale(terms.normalise, config.scale_rate).to(device)
        actor = Actor(state.width, action_dim, config, generator)
        return cls(terms, state, shape, scale, actor, generator, device)

    @torch.no_grad()
    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1], float32; the mode of the policy if `deterministic`."""
        policy = self.actor(self.state(obs, skill))
        return policy.mode() if deterministic else policy.sample(self.noise(len(obs))).action

    def noise(self, count: int) -> Float[Tensor, "B A"]:
        """Standard normal numbers for so many actions."""
        size = (count, self.shape["action"])
        return torch.randn(size, generator=self.generator, device=self.device)

    def parts(
        self, modules: Mapping[str, nn.Module], optimisers: Mapping[str, FlatAdam]
    ) -> LearnerParts:
        """All that changes as a learner learns that has these `modules` besides."""
        everything = nn.ModuleDict(
            {
                "actor": self.actor,
                **modules,
                "normaliser": self.state.normaliser,
                "scale": self.scale,
            }
        )
        return LearnerParts(self.shape, self.terms, everything, optimisers, self.generator)
