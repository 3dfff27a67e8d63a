"""One stack of critics for K rewards and E ensemble members."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agents.learners.network_config import NetworkConfig
from agents.learners.readout import SCALARS, Readout
from rl_info.nn.flat_gradient import FlatGradient
from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import StackedMLP, Tape


@dataclass(frozen=True)
class CriticPass:
    """Outputs for a batch and what their gradients need."""

    outputs: Float[Tensor, "E P B"]
    """P = K times the outputs of each critic, which are its value or successor features."""
    tape: Tape


class CriticStack(nn.Module):
    """Q_{e,k}(x, a), or successor features, of every ensemble member e and reward k.

    With shared trunks, member e is one network with the outputs of all K critics, so a further
    reward costs rows of the output layer. Without, there are E·K networks in the same stack.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        rewards: int,
        ensemble_size: int,
        config: NetworkConfig,
        generator: torch.Generator,
        outputs: int = 1,
        output_gain: float = 1.0,
    ) -> None:
        """Networks for so many `rewards`, with so many `outputs` for each of them.

        `output_gain` is that of the initial output layers; 0 starts all outputs at 0.
        """
        super().__init__()
        self.outputs = rewards * outputs
        self.action_dim = action_dim
        shared = config.critic_sharing == "trunk"
        layout = StackedLayout(
            members=ensemble_size * (1 if shared else rewards),
            inputs=state_dim + action_dim,
            hidden_dim=config.hidden_dim,
            hidden_layers=config.hidden_layers,
            outputs=rewards * outputs if shared else outputs,
        )
        self.net = StackedMLP(
            layout,
            generator=generator,
            layer_norm=config.layer_norm,
            precision=config.precision,
            output_gain=output_gain,
        )

    def run(self, state: Float[Tensor, "B X"], action: Float[Tensor, "B A"]) -> CriticPass:
        """Outputs for actions in [-1, 1]."""
        tape = self.net.run(torch.cat([state, action], dim=-1))
        return CriticPass(tape.output.view(-1, self.outputs, len(state)), tape)

    def gradient(self, critic_pass: CriticPass, outputs: Float[Tensor, "E P B"]) -> FlatGradient:
        """Gradient of the parameters, given that of the outputs."""
        tape = critic_pass.tape
        return self.net.gradient(tape, outputs.view_as(tape.output))

    def action_gradient(
        self,
        critic_pass: CriticPass,
        member: Int[Tensor, "K B"],
        value: Float[Tensor, "K C"],
        readout: Readout = SCALARS,
    ) -> Float[Tensor, "B A"]:
        """Gradient of the action, given that of each reward's value by the given `member`.

        That of a value is the same for all steps (C = 1), or each step has its own (C = B).
        """
        tape = critic_pass.tape
        values = value.new_zeros(len(critic_pass.outputs), *member.shape)
        values.scatter_(0, member[None], value.expand_as(member)[None])
        outputs = readout.spread(values).view_as(tape.output)
        return self.net.input_gradient(tape, outputs, self.action_dim)
