"""The parameters of the block GRU and of the posterior, and one step written plainly."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from rl_info.dynamics.scan import block_product, flatten_blocks, product
from rl_info.dynamics.sizes import WorldModelSize
from rl_info.dynamics.weights import RecurrenceWeights
from rl_info.nn.initialisation import fan_in_normal
from rl_info.nn.norm_perceptron import MixedLinear
from rl_info.nn.rms_silu import RMSSiLU, RMSSiLUFunction

UPDATE_BIAS = -1.0
"""The update gate starts at sigmoid(−1) = .27, so that memory is kept at first."""


class BlockRecurrence(nn.Module):
    """Parameters of h_t = GRU(h_{t−1}, z_{t−1}, a_{t−1}) and of the posterior's head.

    Each input is projected, normalised and shared by all blocks; each block has its own hidden
    layer on its part of h and all inputs, and its own gates. The hidden layer's matrix for the
    shared inputs is kept dense: blocks side by side are one matrix.
    """

    def __init__(
        self,
        size: WorldModelSize,
        embed_dim: int,
        action_dim: int,
        generator: torch.Generator,
        posterior_reads_memory: bool,
    ) -> None:
        super().__init__()
        deter, hidden, blocks = size.deter, size.hidden, size.blocks
        width = deter // blocks
        hidden_in = width + 3 * hidden

        def weight(*shape: int, fan_in: int) -> nn.Parameter:
            return nn.Parameter(fan_in_normal(shape, fan_in, generator))

        def zeros(count: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(count))

        def ones(count: int) -> nn.Parameter:
            return nn.Parameter(torch.ones(count))

        self.deter_in = weight(deter, hidden, fan_in=deter)
        self.deter_in_bias, self.deter_in_gain = zeros(hidden), ones(hidden)
        self.stoch_in = weight(size.flat_stoch, hidden, fan_in=size.flat_stoch)
        self.stoch_in_bias, self.stoch_in_gain = zeros(hidden), ones(hidden)
        self.action_in = MixedLinear(action_dim, hidden, generator)
        self.action_norm = RMSSiLU(hidden)
        self.hidden_inputs = weight(2 * hidden, deter, fan_in=hidden_in)
        self.hidden_action = weight(deter, hidden, fan_in=hidden_in)
        self.hidden_blocks = weight(blocks, width, width, fan_in=hidden_in)
        self.hidden_bias, self.hidden_gain = zeros(deter), ones(deter)
        self.gates = weight(blocks, width, 3 * width, fan_in=width)
        bias = torch.zeros(blocks, 1, 3, width)
        bias[:, :, 2] = UPDATE_BIAS
        self.gates_bias = nn.Parameter(bias.flatten(2))
        fan_in = embed_dim
        if posterior_reads_memory:
            fan_in += deter
            self.posterior_deter: Tensor = weight(deter, hidden, fan_in=fan_in)
        else:
            zero = torch.zeros(deter, hidden)
            self.register_buffer("posterior_deter", zero, persistent=False)
        self.posterior_embed = weight(hidden, embed_dim, fan_in=fan_in)
        self.posterior_bias, self.posterior_gain = zeros(hidden), ones(hidden)
        self.posterior_logits = weight(hidden, size.flat_stoch, fan_in=hidden)
        self.posterior_logits_bias = zeros(size.flat_stoch)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of parameters and states."""
        return self.gates.dtype

    def weights(self) -> RecurrenceWeights:
        """The parameters that enter the loop over time."""
        return RecurrenceWeights(*(getattr(self, name) for name in RecurrenceWeights._fields))

    def action_part(
        self, actions: Float[Tensor, "*B A"], dtype: torch.dtype
    ) -> Float[Tensor, "*B D"]:
        """What actions add to the hidden layer, with its bias; actions beyond ±1 are scaled in."""
        actions = actions / actions.abs().clamp_min(1.0)
        x = self.action_norm(self.action_in(actions.to(dtype)))
        part = linear(x, self.hidden_action.to(dtype), self.hidden_bias.to(dtype))
        return part.to(self.dtype)

    def embed_part(self, embed: Float[Tensor, "*B E"], dtype: torch.dtype) -> Float[Tensor, "*B H"]:
        """What embeddings add to the posterior's hidden layer, with its bias."""
        part = linear(
            embed.to(dtype), self.posterior_embed.to(dtype), self.posterior_bias.to(dtype)
        )
        return part.to(self.dtype)


def transition(
    deter: Float[Tensor, "B D"],
    stoch: Float[Tensor, "B SC"],
    action_part: Float[Tensor, "B D"],
    weights: RecurrenceWeights,
) -> Float[Tensor, "B D"]:
    """h_t from h_{t−1}, z_{t−1} and what `action_part` made of a_{t−1}; plain autograd."""
    x0 = RMSSiLUFunction.apply(
        product(deter, weights.deter_in) + weights.deter_in_bias, weights.deter_in_gain
    )
    x1 = RMSSiLUFunction.apply(
        product(stoch, weights.stoch_in) + weights.stoch_in_bias, weights.stoch_in_gain
    )
    v = product(torch.cat([x0, x1], dim=1), weights.hidden_inputs) + action_part
    v = v + flatten_blocks(block_product(deter, weights.hidden_blocks))
    y = RMSSiLUFunction.apply(v, weights.hidden_gain)
    gates = block_product(y, weights.gates) + weights.gates_bias
    reset, candidate, update = gates.chunk(3, dim=-1)
    new = torch.tanh(torch.sigmoid(reset) * candidate)
    old = deter.view(deter.shape[0], gates.shape[0], -1).transpose(0, 1)
    return flatten_blocks(old + torch.sigmoid(update) * (new - old))


def posterior_logits(
    deter: Float[Tensor, "B D"], embed_part: Float[Tensor, "B H"], weights: RecurrenceWeights
) -> Float[Tensor, "B SC"]:
    """Logits of z_t from h_t and what `embed_part` made of o_t; plain autograd."""
    x = product(deter, weights.posterior_deter) + embed_part
    y = RMSSiLUFunction.apply(x, weights.posterior_gain)
    return product(y, weights.posterior_logits) + weights.posterior_logits_bias
