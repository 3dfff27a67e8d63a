"""Networks that score how well x and y belong together, shared by all variational estimators.

Every critic maps samples (N, X) and (M, Y) to the scores (N, M) of all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.perceptron import perceptron
from rl_info.nn.spectral import SpectralMLP

CriticName = Literal["separable", "bilinear", "joint"]


PAIRS_AT_ONCE = 1 << 17
"""Pairs that a joint critic has in memory at once when no gradient is asked for."""


@dataclass(frozen=True)
class CriticSize:
    """Widths of a critic."""

    width_x: int
    """X: columns of x."""
    width_y: int
    """Y: columns of y."""
    hidden_dim: int
    """Units of each hidden layer."""
    hidden_layers: int
    """Number of hidden layers."""
    embedding_dim: int
    """D: length of the embeddings whose product is the score."""


class SeparableCritic(nn.Module):
    """φ(x)ᵀψ(y) + a(x) + b(y): each sample is embedded once, so B² scores cost 2B passes.

    Both perceptrons have a linear path beside them. The scores start at zero.
    """

    def __init__(self, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        shape = (size.hidden_dim, size.hidden_layers, size.embedding_dim + 1, generator)
        self.phi = perceptron(size.width_x, *shape, output_gain=0.0)
        self.psi = perceptron(size.width_y, *shape)
        self.skip_x = _linear(size.width_x, size.embedding_dim + 1, 0.0, generator)
        self.skip_y = _linear(size.width_y, size.embedding_dim + 1, 1.0, generator)
        # b(y) is the last output beside ψ: that row alone starts at zero.
        with torch.no_grad():
            for module in (self.psi[-1], self.skip_y):
                module.get_parameter("weight")[-1].zero_()

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Scores of all pairs."""
        left = self.phi(x) + self.skip_x(x)
        right = self.psi(y) + self.skip_y(y)
        offsets = left[:, -1:] + right[None, :, -1]
        return left[:, :-1] @ right[:, :-1].T + offsets


class BilinearCritic(nn.Module):
    """φ(x)ᵀ W y with y as it is (arXiv 1807.03748): for a y that is itself an embedding."""

    def __init__(self, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        self.phi = perceptron(
            size.width_x, size.hidden_dim, size.hidden_layers, size.embedding_dim, generator
        )
        self.weight = _linear(size.embedding_dim, size.width_y, 0.0, generator)

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Scores of all pairs."""
        return self.weight(self.phi(x)) @ y.T


class JointCritic(nn.Module):
    """A perceptron of [x, y]: the most flexible critic, at B² passes for B² scores."""

    def __init__(self, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        self.enter_x = _linear(size.width_x, size.hidden_dim, 1.0, generator)
        self.enter_y = _linear(size.width_y, size.hidden_dim, 1.0, generator, bias=False)
        layers = max(size.hidden_layers - 1, 1)
        self.rest = perceptron(size.hidden_dim, size.hidden_dim, layers, 1, generator, 0.0)

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Scores of all pairs; the first layer is computed once for each sample, not each pair."""
        left, right = self.enter_x(x), self.enter_y(y)
        rows = max(1, PAIRS_AT_ONCE // right.shape[0])
        return torch.cat([self._score(part, right) for part in left.split(rows)])

    def _score(self, left: Float[Tensor, "N H"], right: Float[Tensor, "M H"]) -> Tensor:
        hidden = (left[:, None] + right[None, :]).relu()
        return self.rest(hidden).squeeze(-1)


class DistanceCritic(nn.Module):
    """−‖φ(x) − ψ(y)‖ with spectrally normalised φ and ψ.

    1-Lipschitz in ‖x − x'‖ + ‖y − y'‖ by construction, up to the error of the power iterations.
    """

    def __init__(self, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        hidden = (size.hidden_dim,) * size.hidden_layers
        self.phi = SpectralMLP((size.width_x, *hidden, size.embedding_dim), generator)
        self.psi = SpectralMLP((size.width_y, *hidden, size.embedding_dim), generator)

    def refine(self) -> None:
        """Follow the moving weights with one power iteration in every layer."""
        self.phi.refine()
        self.psi.refine()

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Scores of all pairs."""
        # Distances by products of embeddings would cancel in float32 where pairs are close.
        mode = "donot_use_mm_for_euclid_dist"
        return -torch.cdist(self.phi(x), self.psi(y), compute_mode=mode)


CRITICS: Mapping[CriticName, Callable[[CriticSize, torch.Generator], nn.Module]] = MappingProxyType(
    {"separable": SeparableCritic, "bilinear": BilinearCritic, "joint": JointCritic}
)
"""Critics by name."""


def _linear(
    width_in: int, width_out: int, gain: float, generator: torch.Generator, bias: bool = True
) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, width_in, width_out, bias=bias)
    nn.init.orthogonal_(layer.weight, gain=gain, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
