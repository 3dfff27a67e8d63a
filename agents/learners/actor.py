"""The policy network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.network_config import NetworkConfig
from agents.learners.policy_network import policy_network
from rl_info.nn.flat_gradient import FlatGradient
from rl_info.nn.stacked_mlp import Tape
from rl_info.nn.tanh_gaussian import SquashedSample, TanhGaussian


@dataclass(frozen=True)
class ActorPass:
    """Sampled actions and what their gradients need."""

    sample: SquashedSample
    tape: Tape

    def first(self, count: int) -> ActorPass:
        """The pass of the first `count` states."""
        return ActorPass(self.sample.rows(slice(0, count)), self.tape.first(count))


class Actor(nn.Module):
    """Squashed Gaussian policy over actions in [-1, 1]."""

    def __init__(
        self, state_dim: int, action_dim: int, config: NetworkConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = policy_network(state_dim, action_dim, config, generator)

    def forward(self, state: Float[Tensor, "B X"]) -> TanhGaussian:
        """Distribution of the action in each state, without gradients."""
        return TanhGaussian.from_features(self.net.run(state).output[0].T)

    def run(self, state: Float[Tensor, "B X"], noise: Float[Tensor, "B A"]) -> ActorPass:
        """An action in each state, for standard normal `noise`."""
        tape = self.net.run(state)
        return ActorPass(TanhGaussian.from_features(tape.output[0].T).sample(noise), tape)

    def distribution(self, tape: Tape) -> TanhGaussian:
        """The policy in the states of a pass."""
        return TanhGaussian.from_features(tape.output[0].T)

    def gradient(
        self, actor_pass: ActorPass, action: Float[Tensor, "B A"], log_prob: Float[Tensor, ""]
    ) -> FlatGradient:
        """Gradient of the parameters, given those of the actions and of every log density."""
        features = actor_pass.sample.gradient(action, log_prob)
        return self.net.gradient(actor_pass.tape, features.T[None])
