"""Invertible maps of single coordinates, which leave information unchanged.

Each takes and returns samples (N, D) and acts on every coordinate alike.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def identity(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """The samples as they are."""
    return samples


def normal_cdf(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Φ(v): standard normal coordinates become uniform on (0, 1)."""
    return torch.special.ndtr(samples)


def half_cube(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """v √|v|: lengthens tails."""
    return samples * samples.abs().sqrt()


def asinh(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """ln(v + √(v² + 1)): shortens tails."""
    return torch.asinh(samples)


_WIGGLES = ((0.40, 1.0, 0.0), (0.20, 1.7, 1.0), (0.03, 3.3, -2.5))
"""Amplitude, frequency and phase; Σ |amplitude · frequency| < 1 keeps the map increasing."""


def wiggly(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """v plus three small sines, increasing throughout."""
    waves = [amplitude * torch.sin(rate * samples + phase) for amplitude, rate, phase in _WIGGLES]
    return samples + torch.stack(waves).sum(dim=0)


_MODES = ((0.3, 0.0, 0.5), (0.7, 5.0, 1.0))
"""Weight, mean and deviation of the two normal components."""


def bimodal(samples: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """F⁻¹(Φ(v)), F the distribution function of two normal components, by bisection to 1e-12.

    Standard normal coordinates become mixtures with two modes. In float32, or beyond about eight
    deviations, Φ saturates and the map stops being invertible.
    """
    target = torch.special.log_ndtr(samples), torch.special.log_ndtr(-samples)
    reach = samples.abs().max() + 1.0 if samples.numel() else samples.new_ones(())
    low = (-10.0 * reach).expand_as(samples)
    high = (10.0 * reach).expand_as(samples)
    steps = math.ceil(math.log2(20.0 * float(reach) / 1e-12))
    for _ in range(steps):
        middle = 0.5 * (low + high)
        # Compare in whichever tail is the smaller, so that neither rounds to one.
        below = torch.where(
            samples < 0, _log_mixture(middle) < target[0], _log_mixture(middle, -1.0) > target[1]
        )
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return 0.5 * (low + high)


def _log_mixture(value: Float[Tensor, "N D"], side: float = 1.0) -> Float[Tensor, "N D"]:
    """Logarithm of the mixture's probability below `value` (side 1) or above it (side −1)."""
    parts = [
        math.log(weight) + torch.special.log_ndtr(side * (value - mean) / deviation)
        for weight, mean, deviation in _MODES
    ]
    return torch.logsumexp(torch.stack(parts), dim=0)
