"""The squashed Gaussian policy of soft actor-critic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class TanhGaussian:
    """a = tanh(u), u ~ N(mean, exp(log_std)²), independent over the last axis.

    The density is that of a in (-1, 1), with the change of variables of Haarnoja et al.
    (arXiv 1812.05905, appendix C).
    """

    mean: Float[Tensor, "*B A"]
    """Mean before squashing."""
    log_std: Float[Tensor, "*B A"]
    """Natural logarithm of the standard deviation before squashing."""

    @classmethod
    def from_features(
        cls,
        features: Float[Tensor, "*B twoA"],
        log_std_min: float = -5.0,
        log_std_max: float = 2.0,
    ) -> TanhGaussian:
        """Split network outputs into the mean and a log std pressed smoothly into its bounds."""
        mean, raw = features.chunk(2, dim=-1)
        middle, half = (log_std_max + log_std_min) / 2, (log_std_max - log_std_min) / 2
        # tanh rather than a clamp: the gradient never vanishes altogether at a bound.
        return cls(mean, middle + half * torch.tanh(raw))

    def mode(self) -> Float[Tensor, "*B A"]:
        """tanh(mean), the action without noise."""
        return torch.tanh(self.mean)

    def sample(
        self, noise: Float[Tensor, "*B A"]
    ) -> tuple[Float[Tensor, "*B A"], Float[Tensor, "*B"]]:
        """Reparametrised action for standard normal `noise`, and its log density in nats."""
        raw = self.mean + self.log_std.exp() * noise
        log_density = -0.5 * noise.square() - self.log_std - LOG_SQRT_2PI
        log_density = (log_density - log_tanh_slope(raw)).sum(dim=-1)
        return torch.tanh(raw), log_density

    def log_prob_of_raw(self, raw: Float[Tensor, "*B A"]) -> Float[Tensor, "*B"]:
        """Log density in nats of the action tanh(raw), exact even where the tanh saturates."""
        noise = (raw - self.mean) * (-self.log_std).exp()
        log_density = -0.5 * noise.square() - self.log_std - LOG_SQRT_2PI
        return (log_density - log_tanh_slope(raw)).sum(dim=-1)


def log_tanh_slope(raw: Float[Tensor, "*B A"]) -> Float[Tensor, "*B A"]:
    """log(1 − tanh²(u)) as 2 (log 2 − u − softplus(−2u)), which never cancels."""
    return 2.0 * (math.log(2.0) - raw - softplus(-2.0 * raw))
