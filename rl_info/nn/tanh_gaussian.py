"""The squashed Gaussian policy of soft actor-critic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

LOG_STD_MIN, LOG_STD_MAX = -5.0, 2.0
LOG_STD_MIDDLE = (LOG_STD_MAX + LOG_STD_MIN) / 2
LOG_STD_HALF = (LOG_STD_MAX - LOG_STD_MIN) / 2
HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
LARGEST_ACTION = 1.0 - 1e-6
"""Actions beyond it in size, where tanh is flat in float32, count as this one."""
LOG_DENSITY_CONSTANT = HALF_LOG_TWO_PI + 2.0 * math.log(2.0)


@dataclass(frozen=True)
class SquashedSample:
    """Reparametrised actions with their log densities, and what their gradients need."""

    action: Float[Tensor, "B A"]
    log_prob: Float[Tensor, " B"]
    """Log density of the action, in nats."""
    noise: Float[Tensor, "B A"]
    """Noise times standard deviation."""
    pressed: Float[Tensor, "B A"]
    """tanh of the features behind the log std."""

    def rows(self, where: slice) -> SquashedSample:
        """Some of the samples."""
        parts = (self.action, self.log_prob, self.noise, self.pressed)
        return SquashedSample(*(part[where] for part in parts))

    def gradient(
        self, action: Float[Tensor, "B A"], log_prob: Float[Tensor, ""]
    ) -> Float[Tensor, "B twoA"]:
        """Gradient of the features, given those of the action and of every log density."""
        # Before squashing, d a/d u = 1 − a² and d log π/d u = 2 a.
        mean = torch.addcmul(action, self.action, self.action * action, value=-1.0)
        mean = mean.addcmul_(self.action, log_prob, value=2.0)
        log_std = (mean * self.noise).sub_(log_prob).mul_(LOG_STD_HALF)
        raw = log_std.addcmul_(log_std, self.pressed.square(), value=-1.0)
        return torch.cat([mean, raw], dim=-1)


@dataclass(frozen=True)
class TanhGaussian:
    """a = tanh(u), u ~ N(mean, exp(log_std)²), independent over the last axis.

    The density is that of a in (-1, 1), with the change of variables of Haarnoja et al.
    (arXiv 1812.05905, appendix C), where log(1 − tanh²(u)) is 2 (log 2 − u − softplus(−2u)), which
    never cancels. The features are the mean and a number that tanh presses into the bounds of the
    log std; unlike a clamp it keeps a gradient at the bounds.
    """

    mean: Float[Tensor, "B A"]
    """Mean before squashing."""
    pressed: Float[Tensor, "B A"]
    """Where the log std lies between its bounds, in [-1, 1]."""

    @classmethod
    def from_features(cls, features: Float[Tensor, "B twoA"]) -> TanhGaussian:
        """Split the outputs of a network."""
        mean, raw = features.chunk(2, dim=-1)
        return cls(mean, torch.tanh(raw))

    @property
    def log_std(self) -> Float[Tensor, "B A"]:
        """Natural logarithm of the standard deviation before squashing."""
        return self.pressed * LOG_STD_HALF + LOG_STD_MIDDLE

    def mode(self) -> Float[Tensor, "B A"]:
        """tanh(mean), the action without noise."""
        return torch.tanh(self.mean)

    def entropy_before_squashing(self) -> Float[Tensor, " B"]:
        """Σ (log σ + ½ ln 2πe) in nats: the entropy of u, which that of tanh(u) is below."""
        return (self.log_std + (HALF_LOG_TWO_PI + 0.5)).sum(dim=-1)

    def log_prob(self, action: Float[Tensor, "B A"]) -> Float[Tensor, " B"]:
        """Log density of given actions in [-1, 1], in nats."""
        bounded = action.clamp(-LARGEST_ACTION, LARGEST_ACTION)
        deviation = (torch.atanh(bounded) - self.mean) * torch.exp(-self.log_std)
        terms = 0.5 * deviation.square() + self.log_std + torch.log1p(-bounded.square())
        return -(terms + HALF_LOG_TWO_PI).sum(dim=-1)

    def gradient(
        self, action: Float[Tensor, "B A"], log_prob: Float[Tensor, " B"], entropy: float
    ) -> Float[Tensor, "B twoA"]:
        """Gradient of the features, the actions held fixed.

        Given are those of each action's log density and of every entropy before squashing.
        """
        inverse = torch.exp(-self.log_std)
        bounded = action.clamp(-LARGEST_ACTION, LARGEST_ACTION)
        deviation = (torch.atanh(bounded) - self.mean) * inverse
        mean = log_prob[:, None] * deviation * inverse
        log_std = log_prob[:, None] * (deviation.square() - 1.0) + entropy
        return torch.cat([mean, log_std * LOG_STD_HALF * (1.0 - self.pressed.square())], dim=-1)

    def sample(self, noise: Float[Tensor, "B A"]) -> SquashedSample:
        """Actions for standard normal `noise`."""
        log_std = self.log_std
        scaled = log_std.exp().mul_(noise)
        raw = self.mean + scaled
        # softplus(u, beta) is softplus(β u) / β. So this is log σ + ½ε² − 2u − 2 softplus(−2u).
        terms = torch.addcmul(log_std, noise, noise, value=0.5)
        terms = terms.sub_(raw, alpha=2.0).add_(softplus(raw, beta=-2.0), alpha=4.0)
        constant = -LOG_DENSITY_CONSTANT * noise.shape[-1]
        log_prob = torch.rsub(terms.sum(dim=-1), constant)
        return SquashedSample(torch.tanh(raw), log_prob, scaled, self.pressed)
