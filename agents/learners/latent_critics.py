"""Critics of latents: one stack for K rewards, each output a distribution over values."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.critics import CriticPass, CriticStack
from agents.learners.imagination_config import ImaginationConfig
from rl_info.nn.flat_gradient import FlatGradient
from rl_info.nn.symlog import SymlogTwoHot


@dataclass(frozen=True)
class ValuePass:
    """Expected values of a batch of states and what their gradients need."""

    values: Float[Tensor, "P B"]
    logits: Float[Tensor, "P B N"]
    critic_pass: CriticPass

    def first(self, count: int) -> ValuePass:
        """The pass of the first `count` states."""
        tape = self.critic_pass.tape.first(count)
        outputs = self.critic_pass.outputs[..., :count]
        return ValuePass(self.values[:, :count], self.logits[:, :count], CriticPass(outputs, tape))


class LatentCritics(nn.Module):
    """P outputs for each state, two-hot over symlog-spaced bins, and a slow copy of all of them.

    P is the number of rewards, or more where rewards have successor features. Values of any size
    are learned at one rate, which a regression of numbers that grow with the policy would not be.
    """

    def __init__(
        self,
        state_dim: int,
        rewards: int,
        outputs: int,
        config: ImaginationConfig,
        generator: torch.Generator,
    ) -> None:
        """For so many `rewards` with so many `outputs` each."""
        super().__init__()
        self.values = SymlogTwoHot(config.value_bins)
        self.stack = CriticStack(
            state_dim, 0, rewards, 1, config, generator, outputs * config.value_bins, 0.0
        )
        self.slow = copy.deepcopy(self.stack)
        self.outputs, self.bins = rewards * outputs, config.value_bins

    def run(self, state: Float[Tensor, "B X"]) -> ValuePass:
        """Values of the critics."""
        return self._run(self.stack, state)

    def slow_values(self, state: Float[Tensor, "B X"]) -> Float[Tensor, "P B"]:
        """Values of the slow copy."""
        return self._run(self.slow, state).values

    def _run(self, stack: CriticStack, state: Float[Tensor, "B X"]) -> ValuePass:
        found = stack.run(state, state[:, :0])
        logits = found.outputs[0].view(self.outputs, self.bins, -1).mT
        return ValuePass(self.values.mean(logits), logits, found)

    def loss(
        self,
        value_pass: ValuePass,
        targets: tuple[tuple[float, Float[Tensor, "P B"]], ...],
        weight: Float[Tensor, " B"],
    ) -> tuple[FlatGradient, Float[Tensor, " P"]]:
        """Gradient and value of Σ_j c_j · mean_b w_b · CE(two-hot(target_j), critic), per output.

        `targets` are pairs of weight c and values.
        """
        log_share = torch.log_softmax(value_pass.logits, dim=-1)
        share = log_share.exp()
        total = weight / weight.shape[0]
        wanted = sum(factor * self.values.encode(target) for factor, target in targets)
        assert isinstance(wanted, Tensor)
        mass = sum(factor for factor, _ in targets)
        losses = -((wanted * log_share).sum(dim=-1) * total).sum(dim=-1)
        slope = (mass * share - wanted) * total[:, None]
        outputs = slope.mT.reshape(1, -1, weight.shape[0]).contiguous()
        return self.stack.gradient(value_pass.critic_pass, outputs), losses
