"""The policy network."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.config import SACConfig
from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import StackedMLP
from rl_info.nn.tanh_gaussian import TanhGaussian

OUTPUT_GAIN = 0.01
"""Small, so that the first policy is nearly the same in every state."""


class Actor(nn.Module):
    """Squashed Gaussian policy over actions in [-1, 1]."""

    def __init__(
        self, state_dim: int, action_dim: int, config: SACConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        layout = StackedLayout(
            members=1,
            inputs=state_dim,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            outputs=2 * action_dim,
        )
        self.net = StackedMLP(
            layout, generator=generator, precision=config.precision, output_gain=OUTPUT_GAIN
        )

    def forward(self, state: Float[Tensor, "B X"]) -> TanhGaussian:
        """Distribution of the action in each state."""
        return TanhGaussian.from_features(self.net(state)[0])
