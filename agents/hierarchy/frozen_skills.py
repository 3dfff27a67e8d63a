"""A trained skill policy that learns no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from agents.hierarchy.interface import Interface
from agents.learners.actor import Actor
from agents.learners.state_vector import StateVector
from agents.training.config import TrainConfig
from agents.training.weight_commands import weight_commands
from rl_info.skills import SkillSpec


@dataclass(frozen=True)
class Origin:
    """Where frozen skills come from."""

    folder: str
    """Run folder as it was named when they were taken."""
    env_steps: int
    """Env steps that they were trained for."""
    config: TrainConfig
    """Settings of that run."""
    interface: Interface
    """What they saw and did."""


class FrozenSkills:
    """The policy of a finished run: its network and its normaliser, without critics or rewards.

    Every learner here has the same kind of policy, a squashed Gaussian of the (standardised)
    observation and the skill, so that these two parts are all that acting takes. Skills whose
    weights are commandable act under the configured ones.

    Raises KeyError, ValueError or RuntimeError if `state` is not of the sizes in `origin`.
    """

    def __init__(self, origin: Origin, state: Mapping[str, Any], device: torch.device) -> None:
        self.origin = origin
        self.device = device
        settings, skill = origin.config.learner, origin.config.skill
        width = sum(origin.interface.observation.values())
        actions = len(origin.interface.action_low)
        commands = weight_commands(origin.config)
        configured = torch.empty(0) if commands is None else commands.command({})
        self._weights: Float[Tensor, "1 K"] = configured[None].to(device)
        self._state = StateVector(
            width, skill.dim + len(configured), settings.normalise_observations, device
        )
        generator = torch.Generator(device).manual_seed(0)
        self._actor = Actor(self._state.width, actions, settings, generator)
        self._state.normaliser.load_state_dict(state["normaliser"])
        self._actor.load_state_dict(state["actor"])

    @property
    def spec(self) -> SkillSpec:
        """See `Skills.spec`."""
        return self.origin.config.skill

    @property
    def interface(self) -> Interface:
        """See `Skills.interface`."""
        return self.origin.interface

    @torch.inference_mode()
    def act(
        self,
        obs: Float[Tensor, "N O"],
        skill: Float[Tensor, "N Z"],
        noise: Float[Tensor, "N A"] | None = None,
    ) -> Float[Tensor, "N A"]:
        """See `Skills.act`."""
        told = torch.cat([skill, self._weights.expand(len(skill), -1)], dim=-1)
        policy = self._actor(self._state(obs, told))
        return policy.mode() if noise is None else policy.sample(noise).action

    def state_dict(self) -> dict[str, Any]:
        """What the constructor needs as `state`."""
        return {
            "actor": self._actor.state_dict(),
            "normaliser": self._state.normaliser.state_dict(),
        }
