"""Networks that are 1-Lipschitz by spectral normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

WARM_UP_ITERATIONS = 50


class SpectralLinear(nn.Module):
    """A linear map divided by its largest singular value (Miyato et al., arXiv 1802.05957).

    The singular vectors are buffers, estimated by power iteration: many steps at construction,
    then one for each call of `refine`, which is enough while the weight moves slowly. The estimate
    approaches the singular value from below, so the map is 1-Lipschitz up to that error.
    """

    left: Tensor
    right: Tensor

    def __init__(self, width_in: int, width_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width_out, width_in))
        nn.init.xavier_uniform_(self.weight, generator=generator)
        self.bias = nn.Parameter(torch.zeros(width_out))
        self.register_buffer("left", normalize(torch.randn(width_out, generator=generator), dim=0))
        self.register_buffer("right", torch.zeros(width_in))
        self.refine(WARM_UP_ITERATIONS)

    @torch.no_grad()
    def refine(self, iterations: int = 1) -> None:
        """Take power iterations towards the leading singular vectors of the current weight."""
        for _ in range(iterations):
            self.right.copy_(normalize(self.weight.T @ self.left, dim=0))
            self.left.copy_(normalize(self.weight @ self.right, dim=0))

    def forward(self, value: Float[Tensor, "B I"]) -> Float[Tensor, "B O"]:
        """W x / σ(W) + b. The gradient passes through σ, not through the singular vectors."""
        # Clones: a later `refine` writes in place what the backward pass still needs.
        sigma = self.left.clone() @ self.weight @ self.right.clone()
        return linear(value, self.weight / sigma, self.bias)


class SpectralMLP(nn.Sequential):
    """Spectrally normalised linear maps with ReLU between them, hence 1-Lipschitz in ‖·‖₂."""

    def __init__(self, sizes: Sequence[int], generator: torch.Generator) -> None:
        layers: list[nn.Module] = []
        for width_in, width_out in pairwise(sizes):
            layers += [SpectralLinear(width_in, width_out, generator), nn.ReLU()]
        super().__init__(*layers[:-1])

    def refine(self, iterations: int = 1) -> None:
        """Take power iterations in every layer."""
        for layer in self:
            if isinstance(layer, SpectralLinear):
                layer.refine(iterations)
