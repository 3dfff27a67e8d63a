"""The policy of DreamerV3 for continuous actions: a normal with bounded mean and deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_STD, MOST_STD = 0.1, 1.0
START = 2.0
"""Added to the number behind the deviation, so that a new policy is nearly as wide as it can be."""
HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class BoundedNormal:
    """u ~ N(mean, std²) with mean in (-1, 1) and std in (.1, 1), independent over the last axis.

    The action is u clipped to [-1, 1], while densities and entropies are those of u, which are
    finite and bounded on both sides (arXiv 2301.04104, whose clipping is the environment's).
    """

    mean: Float[Tensor, "B A"]
    share: Float[Tensor, "B A"]
    """Where the deviation lies between its bounds, in (0, 1)."""

    @classmethod
    def from_features(cls, features: Float[Tensor, "B twoA"]) -> BoundedNormal:
        """Split the outputs of a network."""
        mean, raw = features.chunk(2, dim=-1)
        return cls(torch.tanh(mean), torch.sigmoid(raw + START))

    @property
    def std(self) -> Float[Tensor, "B A"]:
        """Standard deviation of u."""
        return LEAST_STD + (MOST_STD - LEAST_STD) * self.share

    def sample(self, noise: Float[Tensor, "B A"]) -> Float[Tensor, "B A"]:
        """u for standard normal `noise`, not clipped."""
        return torch.addcmul(self.mean, self.std, noise)

    def log_prob(self, drawn: Float[Tensor, "B A"]) -> Float[Tensor, " B"]:
        """Log density of u, in nats."""
        std = self.std
        terms = 0.5 * ((drawn - self.mean) / std).square() + std.log() + HALF_LOG_TWO_PI
        return -terms.sum(dim=-1)

    def entropy(self) -> Float[Tensor, " B"]:
        """Entropy of u, in nats."""
        return (self.std.log() + (HALF_LOG_TWO_PI + 0.5)).sum(dim=-1)

    def gradient(
        self,
        drawn: Float[Tensor, "B A"],
        log_prob: Float[Tensor, " B"],
        entropy: Float[Tensor, " B"],
    ) -> Float[Tensor, "B twoA"]:
        """Gradient of the features, u held fixed, given those of log densities and entropies."""
        std = self.std
        deviation = (drawn - self.mean) / std
        mean = log_prob[:, None] * deviation / std * (1.0 - self.mean.square())
        of_std = (log_prob[:, None] * (deviation.square() - 1.0) + entropy[:, None]) / std
        raw = of_std * (MOST_STD - LEAST_STD) * self.share * (1.0 - self.share)
        return torch.cat([mean, raw], dim=-1)
