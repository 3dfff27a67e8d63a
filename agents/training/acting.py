"""A policy of latents and its perception as one policy of observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from agents.learners.perception import Perception


@runtime_checkable
class LatentLearner(Protocol):
    """A learner whose `act` reads features that a perception makes of observations."""

    def perception(self, seed: int) -> Perception:
        """A perception with draws of its own."""
        ...


@runtime_checkable
class ActsOnFeatures(Protocol):
    """A policy that reads features."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def act(
        self, obs: Float[Tensor, "N F"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]."""
        ...


class PerceivingPolicy:
    """Perceives an observation, then acts on the feature, and remembers both.

    Each step is one call of `perceive` and one of `act`, as the collector and evaluation make them.
    """

    def __init__(self, policy: ActsOnFeatures, perception: Perception) -> None:
        self.device = policy.device
        self._policy, self._perception = policy, perception

    def begin(self) -> None:
        """Forget everything: new episodes begin in all worlds, with the same draws as ever."""
        self._perception.begin()

    def forget(self, worlds: Bool[Tensor, " N"]) -> None:
        """New episodes begin in some worlds."""
        self._perception.forget(worlds)

    def perceive(self, obs: Shaped[Tensor, "N ..."]) -> Float[Tensor, "N F"]:
        """Features of the worlds that show `obs`."""
        return self._perception.perceive(obs)

    def act(
        self, obs: Float[Tensor, "N F"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1] for what `perceive` returned."""
        action = self._policy.act(obs, skill, deterministic)
        self._perception.took(action)
        return action

    def observe(self, obs: Tensor) -> None:
        """Nothing: what is perceived at warm-up would be forgotten for want of actions."""

    def state_dict(self) -> dict[str, Any]:
        """What it remembers."""
        return self._perception.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._perception.load_state_dict(state)


def perceiving(learner: Any, policy: Any, seed: int) -> Any:
    """`policy`, which is `learner` or acts with it, made to act on observations.

    That is `policy` itself unless the learner acts on latents.
    """
    if not isinstance(learner, LatentLearner):
        return policy
    return PerceivingPolicy(policy, learner.perception(seed))
