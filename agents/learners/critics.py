"""One stack of critics for K rewards and E ensemble members."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.config import SACConfig
from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import StackedMLP


class CriticStack(nn.Module):
    """Q_{e,k}(x, a) of every ensemble member e and reward k.

    With shared trunks, member e is one network with K outputs, so a further reward costs a row of
    the output layer. Without, there are K·E separate networks in the same stack.
    """

    def __init__(
        self, state_dim: int, action_dim: int, rewards: int, config: SACConfig,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rewards = rewards
        self.ensemble_size = config.ensemble_size
        self.shared = config.critic_sharing == "trunk"
        layout = StackedLayout(
            members=config.ensemble_size if self.shared else rewards * config.ensemble_size,
            inputs=state_dim + action_dim,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            outputs=rewards if self.shared else 1,
        )
        self.net = StackedMLP(
            layout, generator=generator, layer_norm=config.layer_norm, precision=config.precision
        )

    def forward(
        self, state: Float[Tensor, "B X"], action: Float[Tensor, "B A"], *, frozen: bool = False
    ) -> Float[Tensor, "E B K"]:
        """Values of actions in [-1, 1]; `frozen` lets gradients reach the action only."""
        values = self.net(torch.cat([state, action], dim=-1), frozen=frozen)
        if self.shared:
            return values
        split = values.view(self.ensemble_size, self.rewards, len(state))
        return split.transpose(1, 2)
