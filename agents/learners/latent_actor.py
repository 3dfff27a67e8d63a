"""The policy over latents."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.network_config import NetworkConfig
from agents.learners.policy_network import policy_network
from rl_info.nn.flat_gradient import FlatGradient
from rl_info.nn.stacked_mlp import Tape
from rl_info.nn.truncated_normal import TruncatedNormal


class LatentActor(nn.Module):
    """A truncated normal policy that is learned by the score of its draws.

    Not the tanh-Gaussian of the other learners: the entropy of a normal before tanh has no bound,
    and to maximise it drives actions to ±1; this one is widest where actions are nearly uniform.
    """

    def __init__(
        self, state_dim: int, action_dim: int, config: NetworkConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = policy_network(
            state_dim, action_dim, config, generator, layer_norm=config.layer_norm
        )

    def forward(self, state: Float[Tensor, "B X"]) -> TruncatedNormal:
        """Distribution of the draws in each state, without gradients."""
        return self.distribution(self.net.run(state))

    def distribution(self, tape: Tape) -> TruncatedNormal:
        """The policy in the states of a pass of `net`."""
        return TruncatedNormal.from_features(tape.output[0].T)

    def gradient(
        self,
        tape: Tape,
        drawn: Float[Tensor, "B A"],
        log_prob: Float[Tensor, " B"],
        entropy: Float[Tensor, " B"],
    ) -> FlatGradient:
        """Gradient of the parameters, given those of log densities of draws and of entropies."""
        features = self.distribution(tape).gradient(drawn, log_prob, entropy)
        return self.net.gradient(tape, features.T.contiguous()[None])
