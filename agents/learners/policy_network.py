"""The network behind every policy."""

from __future__ import annotations

import torch

from agents.learners.network_config import NetworkConfig
from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import StackedMLP

OUTPUT_GAIN = 0.01
"""Small, so that the first policy is nearly the same in every state."""


def policy_network(
    state_dim: int,
    action_dim: int,
    config: NetworkConfig,
    generator: torch.Generator,
    *,
    layer_norm: bool = False,
) -> StackedMLP:
    """A perceptron from states (B, X) to two numbers for each action, of mean and deviation.

    Widths and precision are those of `config`; `layer_norm` standardises the hidden layers.
    """
    layout = StackedLayout(
        members=1,
        inputs=state_dim,
        hidden_dim=config.hidden_dim,
        hidden_layers=config.hidden_layers,
        outputs=2 * action_dim,
    )
    return StackedMLP(
        layout,
        generator=generator,
        layer_norm=layer_norm,
        precision=config.precision,
        output_gain=OUTPUT_GAIN,
    )
