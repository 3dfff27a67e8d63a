"""Densities of a vector given another: mixtures of Gaussians."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from rl_info.nn.perceptron import perceptron

INITIAL_SPREAD = 0.5
"""Deviation of the components' first means: equal components would stay equal."""
OUTPUT_GAIN = 0.01


class ConditionalGaussianMixture(nn.Module):
    """q(x|c) = Σ_k w_k(c) N(x; μ_k(c), diag σ_k(c)²), its parameters given by a perceptron.

    Starts near N(0, 1) for every c, so it expects standardised x. `min_std` bounds every σ from
    below, hence the log density of a row from above: by D · (−ln min_std − ½ ln 2π) nats.
    `unit_std` fixes σ = 1. With `given` 0 it is a plain mixture.

    Raises ValueError unless 0 < min_std < 1 and there is at least one component.
    """

    def __init__(
        self,
        given: int,
        width: int,
        *,
        components: int,
        hidden_dim: int,
        hidden_layers: int,
        generator: torch.Generator,
        min_std: float = 1e-2,
        unit_std: bool = False,
    ) -> None:
        super().__init__()
        if components < 1:
            raise ValueError(f"a mixture needs at least 1 component, got {components}")
        if not 0 < min_std < 1:
            raise ValueError(f"min_std must be in (0, 1), got {min_std}")
        self.width, self.unit_std = width, unit_std
        self.log_min_std = math.log(min_std)
        # Softplus of it is −ln min_std: σ starts at 1.
        self.std_offset = math.log(math.expm1(-self.log_min_std))
        self.sizes = [components] + [components * width] * (1 if unit_std else 2)
        self.constant_input = given == 0
        self.net = perceptron(
            max(given, 1), hidden_dim, hidden_layers, sum(self.sizes), generator, OUTPUT_GAIN
        )
        if components > 1:
            offset = torch.randn(components * width, generator=generator) * INITIAL_SPREAD
            bias = self.net[-1].bias
            assert isinstance(bias, Tensor)
            bias.data[components : components * (1 + width)] = offset

    def mixture(
        self, given: Float[Tensor, "B C"]
    ) -> tuple[Float[Tensor, "B K"], Float[Tensor, "B K D"], Float[Tensor, "B K D"]]:
        """Log weights, means and log deviations of the components."""
        if self.constant_input:
            given = given.new_ones(len(given), 1)
        logits, mean, *rest = self.net(given).split(self.sizes, dim=-1)
        shape = (len(given), self.sizes[0], self.width)
        mean = mean.reshape(shape)
        if self.unit_std:
            return logits.log_softmax(dim=-1), mean, torch.zeros_like(mean)
        log_std = self.log_min_std + softplus(rest[0].reshape(shape) + self.std_offset)
        return logits.log_softmax(dim=-1), mean, log_std

    def forward(
        self, value: Float[Tensor, "B D"], given: Float[Tensor, "B C"]
    ) -> Float[Tensor, " B"]:
        """ln q(x|c) of each row, in nats."""
        log_weight, mean, log_std = self.mixture(given)
        deviation = (value[:, None] - mean) * torch.exp(-log_std)
        terms = 0.5 * deviation.square() + log_std + 0.5 * math.log(2.0 * math.pi)
        return torch.logsumexp(log_weight - terms.sum(dim=-1), dim=-1)
