"""The contract of an intrinsic reward."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.skills import SkillKind, SkillSpec
from rl_info.transitions import Transitions

Metrics = dict[str, Tensor]


@dataclass(frozen=True)
class RewardContext:
    """What a reward must know of the world it values: sizes of observation, action and skill."""

    obs_dim: int
    action_dim: int
    skill: SkillSpec
    signals: Mapping[str, int] = field(default_factory=dict)
    """Width of every side signal that the environment provides."""


@dataclass(frozen=True)
class RewardConfig:
    """Settings that every reward has, because each reward has a critic of its own.

    Raises ValueError for a value out of range, naming the field.
    """

    weight: float = 1.0
    """Weight of this reward's critic in the actor's objective."""
    discount: float = 0.99
    """Discount factor of this reward's critic."""
    normalise: bool = False
    """Divide this critic's values by a running scale of its targets in the actor's objective."""
    learning_rate: float = 1e-4
    """Adam step size of what the reward itself learns; unused by a reward that learns nothing."""

    def __post_init__(self) -> None:
        # NaN fails every comparison, so these refuse it too.
        self.require("weight", 0 <= self.weight < math.inf, "finite, not negative")
        self.require("discount", 0 <= self.discount < 1, "in [0, 1)")
        self.require("learning_rate", 0 < self.learning_rate < math.inf, "finite and positive")

    def require(self, name: str, holds: bool, bound: str) -> None:
        """Raise ValueError with the bound that the field `name` breaks unless it `holds`."""
        if not holds:
            kind = type(self).__name__
            raise ValueError(f"{name} of {kind} must be {bound}, got {getattr(self, name)!r}")


class MissingSignalError(ValueError):
    """A reward needs side signals that the environment lacks."""

    def __init__(self, reward: str, requires: tuple[str, ...], context: RewardContext) -> None:
        self.reward = reward
        """Name of the reward's class."""
        self.requires = requires
        """All signals that it reads."""
        self.missing = tuple(signal for signal in requires if signal not in context.signals)
        """Those of them that the environment lacks."""
        names = ", ".join(map(repr, self.missing))
        super().__init__(
            f"{reward} needs the signal{'s' if len(self.missing) > 1 else ''} {names}; "
            f"this environment has: {', '.join(sorted(context.signals)) or 'none'}"
        )


class IntrinsicReward(nn.Module, ABC):
    """Values a step; may learn from batches what it needs to do so.

    Everything it learns lives in `state_dict()`, so that it is part of a checkpoint. It draws no
    random numbers except from the generator it is built with.
    """

    requires: tuple[str, ...] = ()
    """Names of the side signals that it reads from the batch: those of the class, and those that
    the instance was built to read."""
    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"none", "discrete", "continuous"})
    """Kinds of skill that it can work with."""

    def __init__(self, context: RewardContext, *, requires: tuple[str, ...] = ()) -> None:
        """Check the context; `requires` adds signals to those that the class needs.

        Raises MissingSignalError if the environment lacks a needed signal, and ValueError if the
        skill kind is unsuitable.
        """
        super().__init__()
        self.requires = (*type(self).requires, *requires)
        name = type(self).__name__
        if not set(self.requires) <= set(context.signals):
            raise MissingSignalError(name, self.requires, context)
        if context.skill.kind not in self.skill_kinds:
            raise ValueError(
                f"{name} works with skills of kind {' or '.join(sorted(self.skill_kinds))}, "
                f"not with kind {context.skill.kind!r}"
            )
        self.context = context

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Scalar loss that trains the reward's own parameters, and metrics to log.

        A reward that learns nothing returns a zero loss without gradient.
        """
        return torch.zeros((), device=batch.obs.device), {}

    @abstractmethod
    def forward(self, batch: Transitions) -> Float[Tensor, B]:
        """Value of each step, shape (B,), float32, detached from the graph by the caller."""
