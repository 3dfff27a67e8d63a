"""What the outputs of the critics of an agent's rewards predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from agents.learners.readout import SCALARS, FeatureReadout, Readout
from rl_info.rewards.base import IntrinsicReward
from rl_info.rewards.linear import LinearReward
from rl_info.transitions import Transitions


@runtime_checkable
class Heads(Protocol):
    """The outputs of K critics, P = K · `outputs` in all."""

    outputs: int
    """Outputs of each critic."""

    def cumulants(self, batch: Transitions) -> Float[Tensor, "P B"]:
        """What each output is to predict the discounted sum of, for each step."""
        ...

    def readout(self, skill: Float[Tensor, "B Z"]) -> Readout:
        """How the values of steps with these skills are read from the outputs."""
        ...


class ScalarHeads:
    """One output for each reward: its value."""

    outputs = 1

    def __init__(self, modules: Sequence[IntrinsicReward]) -> None:
        self._modules = tuple(modules)

    def cumulants(self, batch: Transitions) -> Float[Tensor, "K B"]:
        """Every reward of every step."""
        return torch.stack([module(batch) for module in self._modules])

    def readout(self, skill: Float[Tensor, "B Z"]) -> Readout:
        """The outputs are the values."""
        return SCALARS


class SumHead(ScalarHeads):
    """One output for the weighted sum of all rewards, linear in features or not."""

    def __init__(self, modules: Sequence[IntrinsicReward], weight: Float[Tensor, "1 R"]) -> None:
        super().__init__(modules)
        self._weight = weight

    def cumulants(self, batch: Transitions) -> Float[Tensor, "1 B"]:
        """The weighted sum of the rewards of every step."""
        return self._weight @ super().cumulants(batch)


class FeatureHeads:
    """F outputs for each reward: its features where it is linear in them, else its value.

    F is the largest number of features. Outputs that a reward does not need stay unused: all
    critics lie in one stack, whose members have one shape.

    Raises ValueError for a reward with features of another number than its `feature_dim`.
    """

    def __init__(self, modules: Sequence[IntrinsicReward], device: torch.device) -> None:
        self._modules = tuple(modules)
        self._widths = [feature_count(module) for module in modules]
        self.outputs = max(1, *self._widths)
        index = torch.arange(self.outputs, device=device)
        width = torch.tensor(self._widths, device=device)[:, None]
        self._used = (index < width.clamp_min(1)).float()
        self._is_value = ((width == 0) & (index == 0)).float()

    def cumulants(self, batch: Transitions) -> Float[Tensor, "P B"]:
        """Features or reward of every step; 0 for unused outputs."""
        return self._stack(
            [
                linear.features(batch) if (linear := as_linear(module)) else module(batch)[:, None]
                for module in self._modules
            ]
        ).flatten(0, 1)

    def readout(self, skill: Float[Tensor, "B Z"]) -> Readout:
        """The skill's w for features, 1 for values."""
        one = skill.new_ones(len(skill), 1)
        weight = [
            linear.readout(skill) if (linear := as_linear(module)) else one
            for module in self._modules
        ]
        return FeatureReadout(self._stack(weight), self._used, self._is_value)

    def _stack(self, columns: Sequence[Float[Tensor, "B _"]]) -> Float[Tensor, "K F B"]:
        for module, each, width in zip(self._modules, columns, self._widths, strict=True):
            if each.shape[1] != max(width, 1):
                raise ValueError(
                    f"{type(module).__name__} has feature_dim {width}, "
                    f"but its features or their readout have {each.shape[1]} columns"
                )
        return torch.stack([pad(each, (0, self.outputs - each.shape[1])).T for each in columns])


def as_linear(module: IntrinsicReward) -> LinearReward | None:
    """The reward, if its critic is to learn successor features."""
    if isinstance(module, LinearReward) and module.successor_features:
        return module
    return None


def feature_count(module: IntrinsicReward) -> int:
    """Number of features whose successor features a reward's critic learns; 0 for none.

    Raises ValueError for a reward that is linear in no features at all.
    """
    linear = as_linear(module)
    if linear is None:
        return 0
    if linear.feature_dim < 1:
        name = type(module).__name__
        raise ValueError(f"feature_dim of {name} must be at least 1, got {linear.feature_dim}")
    return linear.feature_dim


def heads_of(modules: Sequence[IntrinsicReward], device: torch.device) -> Heads:
    """Heads of one critic for each reward, with a single output each if none needs more."""
    if any(feature_count(module) for module in modules):
        return FeatureHeads(modules, device)
    return ScalarHeads(modules)
