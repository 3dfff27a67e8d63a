"""Weights of rewards that a policy is told: how they are drawn, and what a user's command means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agents.errors import nearest
from agents.training.config import TrainConfig


@dataclass(frozen=True)
class WeightCommands:
    """The commands that a policy with commandable weights knows: one number for each reward.

    The number is ln(w / configured weight), 0 for the weight in the settings; it is appended to
    the skill. In training the factors w / configured weight are independent and log-uniform over
    `factors`: halving a weight is as likely as doubling it, so that the configured trade-off is
    the median of what is learned, and ratios of weights, which alone decide a trade-off, are drawn
    evenly on their own scale. With [1/4, 4] two rewards trade off over a factor of 16 either way.
    A weight of 0 stays 0. D3 (a factorised multi-critic PPO, CoRL 2025) draws its weights for each
    world too; the distribution is ours.
    """

    configured: Mapping[str, float]
    """Weight of each reward in the settings, by name and in order."""
    factors: tuple[float, float]
    """Least and greatest factor of a weight."""

    @property
    def dim(self) -> int:
        """Numbers of a command: K, one for each reward."""
        return len(self.configured)

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "N K"]:
        """Commands drawn as in training, float32."""
        low, high = map(math.log, self.factors)
        uniform = torch.rand(count, self.dim, generator=generator)
        return (low + (high - low) * uniform) * self._positive()

    def command(self, weights: Mapping[str, float]) -> Float[Tensor, " K"]:
        """The command for these weights; those without a name here are the configured ones.

        A weight outside the factors of training becomes the nearest that the policy knows: see
        `weights_of`. Raises ValueError for an unknown name, a negative, infinite or NaN weight, a
        weight for a reward that is trained with weight 0, or if all weights are 0.
        """
        for name, weight in weights.items():
            if name not in self.configured:
                raise ValueError(f"unknown reward {name!r}; {nearest(name, self.configured)}")
            # NaN fails every comparison, so this refuses it too.
            if not 0 <= weight < math.inf:
                raise ValueError(f"the weight of {name!r} must be finite, not negative: {weight}")
            if weight > 0 and self.configured[name] == 0:
                raise ValueError(f"{name!r} was trained with weight 0 and stays without influence")
        asked = {**self.configured, **weights}
        if not any(asked.values()):
            raise ValueError("at least one weight must be above 0")
        return torch.tensor([self._column(name, weight) for name, weight in asked.items()])

    def weights_of(self, command: Float[Tensor, " K"]) -> dict[str, float]:
        """The weights that a command stands for, by name."""
        pairs = zip(self.configured.items(), command.double().exp().tolist(), strict=True)
        return {name: weight * factor for (name, weight), factor in pairs}

    def _column(self, name: str, weight: float) -> float:
        configured = self.configured[name]
        if configured == 0:
            return 0.0
        low, high = self.factors
        return math.log(min(max(weight / configured, low), high))

    def _positive(self) -> Float[Tensor, " K"]:
        return torch.tensor([float(weight > 0) for weight in self.configured.values()])


def weight_commands(config: TrainConfig) -> WeightCommands | None:
    """The commands of a run; None where weights are not commandable."""
    if not config.commandable_weights:
        return None
    weights = {name: settings.weight for name, settings in config.rewards.items()}
    return WeightCommands(weights, config.weight_factors)
