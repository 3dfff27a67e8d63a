"""Frozen skills at work in a world, whatever their policy is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from agents.hierarchy.interface import Interface
from envs.vector_world import VectorWorld
from rl_info.skills import SkillSpec


@runtime_checkable
class Skills(Protocol):
    """A policy with skills that learns no more."""

    device: torch.device

    @property
    def spec(self) -> SkillSpec:
        """Kind and size of the skills."""
        ...

    @property
    def interface(self) -> Interface:
        """What the policy sees and does."""
        ...

    def act(
        self,
        obs: Float[Tensor, "N O"],
        skill: Float[Tensor, "N Z"],
        noise: Float[Tensor, "N A"] | None = None,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1] from those parts of the observation that the policy knows.

        They are the mode of the policy, or its sample for standard normal `noise`.
        """
        ...


class SkillsInWorld:
    """Skills that see of a world's observation only what they were trained on.

    Raises ValueError naming what the world lacks for them.
    """

    def __init__(self, skills: Skills, world: VectorWorld) -> None:
        self.spec = skills.spec
        self.device = skills.device
        self._skills = skills
        columns = skills.interface.columns_in(Interface.of(world))
        self._columns = torch.from_numpy(columns).to(self.device)
        self._action_dim = len(skills.interface.action_low)

    def choose(self, choice: Float[Tensor, "N Z"]) -> Float[Tensor, "N Z"]:
        """The skill that each choice stands for: see `choose_skill`."""
        return choose_skill(self.spec, choice)

    def act(
        self,
        obs: Float[Tensor, "N O"],
        skill: Float[Tensor, "N Z"],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]: the mode of the policy, or samples with noise from `generator`."""
        noise = None
        if generator is not None:
            noise = torch.randn(len(obs), self._action_dim, generator=generator).to(self.device)
        return self._skills.act(obs[:, self._columns], skill, noise)


def choose_skill(spec: SkillSpec, choice: Float[Tensor, "N Z"]) -> Float[Tensor, "N Z"]:
    """The skill that each choice stands for.

    For discrete skills that is the one of the largest number. A continuous choice is the skill
    itself, shortened to unit length where it is longer. Skills are trained at unit length, but
    the policy and its latent space are continuous, so that shorter ones act more gently, and a
    controller can slow down where it has arrived. It also leaves no direction in which choices
    differ and what they do does not, along which a controller would drift into the corners.
    """
    if spec.kind == "discrete":
        return spec.nearest(choice)
    return choice / choice.norm(dim=-1, keepdim=True).clamp_min(1.0)
