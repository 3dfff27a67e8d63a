"""A normal policy whose density lives on the actions themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_STD, MOST_STD = 0.1, 1.0
START = 2.0
"""Added to the number behind the deviation, so that a new policy is nearly as wide as it can be."""
LEAST_SHARE = 2.0**-24
"""Probability that no draw lies beyond: of float32 numbers below 1 the greatest is 1 less this."""
HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class TruncatedNormal:
    """N(mean, std²) cut to [-1, 1], independent over the last axis; |mean| < 1, .1 < std < 1.

    Bounds are those of DreamerV3's policy (arXiv 2301.04104), which clips instead: a clipped draw
    has lumps at ±1 and no density there, so that no information of actions could be told by it.
    Entropy is at most ln 2 nats a dimension, that of uniform actions.
    """

    mean: Float[Tensor, "B A"]
    """Of the normal before it is cut; also the mode."""
    share: Float[Tensor, "B A"]
    """Where the deviation lies between its bounds, in (0, 1)."""

    @classmethod
    def from_features(cls, features: Float[Tensor, "B twoA"]) -> TruncatedNormal:
        """Split the outputs of a network."""
        mean, raw = features.chunk(2, dim=-1)
        return cls(torch.tanh(mean), torch.sigmoid(raw + START))

    @property
    def std(self) -> Float[Tensor, "B A"]:
        """Standard deviation of the normal before it is cut."""
        return LEAST_STD + (MOST_STD - LEAST_STD) * self.share

    def sample(self, uniform: Float[Tensor, "B A"]) -> Float[Tensor, "B A"]:
        """Actions for `uniform` numbers in [0, 1), by inversion."""
        std = self.std
        low, high = self._edges(std)
        below = torch.special.ndtr(low)
        mass = torch.special.ndtr(high) - below
        # At 0 and 1, which rounding reaches now and then, the quantile is infinite and the action
        # would be the edge that the policy takes with no probability at all.
        share = (below + uniform * mass).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE)
        drawn = self.mean + std * torch.special.ndtri(share)
        return drawn.clamp(-1.0, 1.0)

    def log_prob(self, action: Float[Tensor, "B A"]) -> Float[Tensor, " B"]:
        """Log density of actions in [-1, 1], in nats."""
        std = self.std
        terms = 0.5 * ((action - self.mean) / std).square() + std.log() + HALF_LOG_TWO_PI
        return -(terms + self._mass(std).log()).sum(dim=-1)

    def entropy(self) -> Float[Tensor, " B"]:
        """Entropy in nats."""
        std = self.std
        low, high = self._edges(std)
        mass = self._mass(std)
        cut = (low * _density(low) - high * _density(high)) / (2.0 * mass)
        return (std.log() + mass.log() + cut + (HALF_LOG_TWO_PI + 0.5)).sum(dim=-1)

    def gradient(
        self,
        action: Float[Tensor, "B A"],
        log_prob: Float[Tensor, " B"],
        entropy: Float[Tensor, " B"],
    ) -> Float[Tensor, "B twoA"]:
        """Gradient of the features, actions held fixed, given those of log densities and entropies.

        With α, β the edges in deviations and Z the mass between them, ∂Z/∂μ = (φ(α) − φ(β))/σ and
        ∂Z/∂σ = (αφ(α) − βφ(β))/σ; what cutting adds to the entropy is (αφ(α) − βφ(β))/2Z.
        """
        std = self.std
        low, high = self._edges(std)
        at_low, at_high, mass = _density(low), _density(high), self._mass(std)
        cut = low * at_low - high * at_high
        mass_mean, mass_std = (at_low - at_high) / (std * mass), cut / (std * mass)
        deviation = (action - self.mean) / std
        inner_low, inner_high = at_low * (1.0 - low.square()), at_high * (1.0 - high.square())
        cut_mean = (inner_high - inner_low) / std
        cut_std = (high * inner_high - low * inner_low) / std
        half = 0.5 / mass
        entropy_mean = mass_mean + half * (cut_mean - cut * mass_mean)
        entropy_std = 1.0 / std + mass_std + half * (cut_std - cut * mass_std)
        mean = log_prob[:, None] * (deviation / std - mass_mean) + entropy[:, None] * entropy_mean
        of_std = log_prob[:, None] * ((deviation.square() - 1.0) / std - mass_std)
        of_std = of_std + entropy[:, None] * entropy_std
        raw = of_std * (MOST_STD - LEAST_STD) * self.share * (1.0 - self.share)
        return torch.cat([mean * (1.0 - self.mean.square()), raw], dim=-1)

    def _edges(self, std: Tensor) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A"]]:
        """Where −1 and 1 lie, in deviations from the mean."""
        return (-1.0 - self.mean) / std, (1.0 - self.mean) / std

    def _mass(self, std: Tensor) -> Float[Tensor, "B A"]:
        """What is left of the normal."""
        low, high = self._edges(std)
        return torch.special.ndtr(high) - torch.special.ndtr(low)


def _density(x: Float[Tensor, "B A"]) -> Float[Tensor, "B A"]:
    return torch.exp(-0.5 * x.square() - HALF_LOG_TWO_PI)
