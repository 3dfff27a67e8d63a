"""Representations of states in which novelty is measured, by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.perceptron import perceptron

RepresentationName = Literal["identity", "random", "inverse"]


@dataclass(frozen=True)
class RepresentationSizes:
    """Sizes that a representation is built with."""

    state_dim: int
    action_dim: int
    feature_dim: int
    hidden_dim: int
    hidden_layers: int


class Representation(nn.Module, ABC):
    """Features of standardised states, which may be learned from steps."""

    width: int
    """Number of features."""

    @abstractmethod
    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B F"]:
        """Features of standardised states."""

    def loss(
        self,
        state: Float[Tensor, "B D"],
        action: Float[Tensor, "B A"],
        following: Float[Tensor, "B D"],
    ) -> Float[Tensor, ""]:
        """What the features are learned from; zero without gradient if they are fixed."""
        return state.new_zeros(())


class IdentityRepresentation(Representation):
    """The standardised state itself."""

    def __init__(self, sizes: RepresentationSizes, generator: torch.Generator) -> None:
        super().__init__()
        self.width = sizes.state_dim

    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The state."""
        return state


class RandomRepresentation(Representation):
    """A perceptron that keeps the parameters it is drawn with."""

    def __init__(self, sizes: RepresentationSizes, generator: torch.Generator) -> None:
        super().__init__()
        self.width = sizes.feature_dim
        self.net = _encoder(sizes, generator).requires_grad_(False)

    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B F"]:
        """Fixed random features."""
        return self.net(state)


class InverseRepresentation(Representation):
    """φ from which the action between two states can be told, and the next φ from the action.

    The intrinsic curiosity module (Pathak et al., arXiv 1705.05363): mean squared errors of the
    action given φ(s), φ(s'), and of φ(s') given φ(s), a. What no action influences need not be in
    φ. The forward error alone would be least for a constant φ; the inverse one prevents that.
    """

    def __init__(self, sizes: RepresentationSizes, generator: torch.Generator) -> None:
        super().__init__()
        self.width = sizes.feature_dim
        layers = (sizes.hidden_dim, sizes.hidden_layers)
        self.net = _encoder(sizes, generator)
        self.inverse = perceptron(2 * self.width, *layers, sizes.action_dim, generator)
        self.dynamics = perceptron(self.width + sizes.action_dim, *layers, self.width, generator)

    def forward(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B F"]:
        """Learned features."""
        return self.net(state)

    def loss(
        self,
        state: Float[Tensor, "B D"],
        action: Float[Tensor, "B A"],
        following: Float[Tensor, "B D"],
    ) -> Float[Tensor, ""]:
        """Mean squared errors of inverse and forward model."""
        before, after = self.net(torch.cat([state, following])).chunk(2)
        action_error = self.inverse(torch.cat([before, after], dim=-1)) - action
        feature_error = self.dynamics(torch.cat([before, action], dim=-1)) - after
        return action_error.square().mean() + feature_error.square().mean()


REPRESENTATIONS: Mapping[
    RepresentationName, Callable[[RepresentationSizes, torch.Generator], Representation]
] = MappingProxyType(
    {
        "identity": IdentityRepresentation,
        "random": RandomRepresentation,
        "inverse": InverseRepresentation,
    }
)
"""Representations by the name that settings give them."""


def _encoder(sizes: RepresentationSizes, generator: torch.Generator) -> nn.Sequential:
    layers = (sizes.hidden_dim, sizes.hidden_layers)
    return perceptron(sizes.state_dim, *layers, sizes.feature_dim, generator)
