"""Heads that read side signals from latents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn import RunningNormaliser
from rl_info.nn.norm_perceptron import NormPerceptron


class SignalHeads(nn.Module):
    """Predicts side signals of a state from its feature, standardised by their running statistics.

    Rewards that read signals, such as where an object is, value imagined steps by what these say.
    A mean is predicted: of a signal that the feature leaves open, its spread is not seen. The
    gradient reaches the latents, as that of the reward head does.
    """

    def __init__(
        self, feature_dim: int, units: int, widths: Mapping[str, int], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {
                name: NormPerceptron(feature_dim, units, 1, width, generator)
                for name, width in widths.items()
            }
        )
        self.statistics = nn.ModuleDict(
            {name: RunningNormaliser(width, clip=math.inf) for name, width in widths.items()}
        )

    def _statistics(self, name: str) -> RunningNormaliser:
        return cast(RunningNormaliser, self.statistics[name])

    def __len__(self) -> int:
        """Number of signals."""
        return len(self.heads)

    def forward(
        self, feature: Float[Tensor, "B F"], dtype: torch.dtype = torch.float32
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Signals in their own units."""
        found = {}
        for name, head in self.heads.items():
            statistics = self._statistics(name)
            standard = head(feature.to(dtype)).float()
            found[name] = standard / statistics.inverse_std + statistics.shift
        return found

    def loss(
        self,
        feature: Float[Tensor, "B T F"],
        signals: Mapping[str, Float[Tensor, "B T _"]],
        dtype: torch.dtype = torch.float32,
    ) -> dict[str, Float[Tensor, ""]]:
        """Mean squared error of each standardised signal; advances the statistics."""
        losses = {}
        for name, head in self.heads.items():
            statistics = self._statistics(name)
            statistics.observe(signals[name].flatten(0, 1))
            target = statistics(signals[name].flatten(0, 1))
            error = head(feature.flatten(0, 1).to(dtype)).float() - target
            losses[name] = error.square().mean()
        return losses
