"""Reach: be near the object, the reward of SLIM that makes manipulation happen at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.rewards.base import IntrinsicReward, RewardConfig, RewardContext
from rl_info.transitions import Transitions

DISTANCE = "gripper_object_distance"
ReachForm = Literal["closeness", "distance", "progress"]
Form = Callable[[Tensor, Tensor], Tensor]
FORMS: Mapping[ReachForm, Form] = MappingProxyType(
    {
        "closeness": lambda before, after: torch.exp(-after),
        "distance": lambda before, after: -after,
        "progress": lambda before, after: before - after,
    }
)
"""Value of a step by its distances before and after, in units of the scale."""


@dataclass(frozen=True)
class ReachConfig(RewardConfig):
    """Settings of the reach reward."""

    form: ReachForm = "closeness"
    """`closeness`: exp(−d'/scale), in (0, 1]; `distance`: −d'/scale; `progress`:
    (d − d')/scale, which sums to the distance gained over an episode."""
    scale: float = 0.1
    """Distance in metres that counts as 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("scale", 0 < self.scale < math.inf, "finite and positive")


class Reach(IntrinsicReward):
    """Falls with the distance d' from gripper to object after the step; learns nothing.

    SLIM (arXiv 2402.00823) names such a reward without printing its form, so the forms here are
    ours. With a distance for each of several objects, the nearest object counts.
    """

    requires: tuple[str, ...] = (DISTANCE,)
    forms: ClassVar[Mapping[ReachForm, Form]] = FORMS

    def __init__(
        self, context: RewardContext, config: ReachConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context)
        self.config = config

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Value of each step, dimensionless."""
        before, after = (
            signals[DISTANCE].reshape(len(batch.obs), -1).amin(dim=-1).float() / self.config.scale
            for signals in (batch.signals, batch.next_signals)
        )
        return self.forms[self.config.form](before, after)
