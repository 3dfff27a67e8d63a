"""Heads that predict reward and continuation from features."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rl_info.nn.norm_perceptron import NormPerceptron
from rl_info.nn.symlog import SymlogTwoHot


class TwoHotHead(nn.Module):
    """A scalar of any size, such as a reward or a value, as a two-hot categorical.

    Starts at equal probabilities, whose mean is 0.
    """

    def __init__(
        self, feature_dim: int, units: int, layers: int, generator: torch.Generator, bins: int = 255
    ) -> None:
        super().__init__()
        self.distribution = SymlogTwoHot(bins)
        self.net = NormPerceptron(feature_dim, units, layers, bins, generator, output_scale=0.0)

    def forward(
        self, feature: Float[Tensor, "*B F"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "*B"]:
        """Expected value."""
        return self.distribution.mean(self.net(feature.to(dtype)))

    def log_prob(
        self,
        feature: Float[Tensor, "*B F"],
        value: Float[Tensor, "*B"],
        dtype: torch.dtype = torch.float32,
    ) -> Float[Tensor, "*B"]:
        """Two-hot log likelihood of values in nats, at most 0."""
        return self.distribution.log_prob(self.net(feature.to(dtype)), value)


class ContinueHead(nn.Module):
    """Probability that the episode goes on."""

    def __init__(
        self, feature_dim: int, units: int, layers: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = NormPerceptron(feature_dim, units, layers, 1, generator)

    def forward(
        self, feature: Float[Tensor, "*B F"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "*B"]:
        """Probability of continuation in (0, 1)."""
        return torch.sigmoid(self.net(feature.to(dtype)).float().squeeze(-1))

    def log_prob(
        self,
        feature: Float[Tensor, "*B F"],
        terminated: Bool[Tensor, "*B"],
        dtype: torch.dtype = torch.float32,
    ) -> Float[Tensor, "*B"]:
        """Log likelihood of what happened, in nats."""
        logits = self.net(feature.to(dtype)).float().squeeze(-1)
        goes_on = (~terminated).to(logits.dtype)
        return -binary_cross_entropy_with_logits(logits, goes_on, reduction="none")
