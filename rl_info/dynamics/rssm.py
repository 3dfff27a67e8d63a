"""The recurrent state-space model with a block-diagonal GRU and categorical latents."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rl_info.dynamics.latent import Latent
from rl_info.dynamics.recurrence import BlockRecurrence, transition
from rl_info.dynamics.scan import ObservedScan
from rl_info.dynamics.sizes import WorldModelSize
from rl_info.nn.categorical_latent import UNIFORM_MIX, straight_through
from rl_info.nn.norm_perceptron import NormPerceptron

Policy = Callable[[Tensor], Tensor]
"""From features (B, F) to actions (B, A) in [-1, 1]."""


class RSSM(nn.Module):
    """RSSM of DreamerV3 (arXiv 2301.04104): h_t = GRU(h_{t−1}, z_{t−1}, a_{t−1}), z_t categorical.

    The posterior reads h_t and the embedding of o_t, the prior h_t alone. Without
    `posterior_reads_memory` the posterior reads the embedding alone: then z_t tells of a_{t−1}
    what o_t shows of it and no more, while h_t still remembers for prior and policy. Every
    categorical mixes in `uniform_mix` of the uniform one; draws pass gradients straight through.
    Actions are those that led to the observation of the same index: `actions[:, t]` is a_{t−1}.

    Products run in the `dtype` that a method is given (float32 or bfloat16); parameters, sums,
    normalisation and states stay float32. The same generator state gives the same bits on the CPU.
    """

    def __init__(
        self,
        size: WorldModelSize,
        embed_dim: int,
        action_dim: int,
        generator: torch.Generator,
        uniform_mix: float = UNIFORM_MIX,
        prior_layers: int = 2,
        posterior_reads_memory: bool = True,
    ) -> None:
        super().__init__()
        if not 0.0 <= uniform_mix < 1.0:
            raise ValueError(f"uniform_mix must be in [0, 1), got {uniform_mix}")
        self.size, self.action_dim, self.uniform_mix = size, action_dim, uniform_mix
        self.recurrence = BlockRecurrence(
            size, embed_dim, action_dim, generator, posterior_reads_memory
        )
        self.prior_head = NormPerceptron(
            size.deter, size.hidden, prior_layers, size.flat_stoch, generator
        )

    def initial(self, rows: int, like: Tensor) -> Latent:
        """The state before an episode: zeros."""
        shape = (rows, self.size.stoch, self.size.classes)
        zeros = like.new_zeros(shape, dtype=self.recurrence.dtype)
        return Latent(like.new_zeros(rows, self.size.deter, dtype=zeros.dtype), zeros, zeros)

    def prior(
        self, deter: Float[Tensor, "*B D"], dtype: torch.dtype | None = None
    ) -> Float[Tensor, "*B S C"]:
        """Logits of z_t before o_t is seen."""
        logits = self.prior_head(deter.to(dtype or deter.dtype)).to(deter.dtype)
        return logits.unflatten(-1, (self.size.stoch, self.size.classes))

    def observe(
        self,
        embed: Float[Tensor, "B T E"],
        actions: Float[Tensor, "B T A"],
        is_first: Bool[Tensor, "B T"],
        state: Latent | None = None,
        *,
        generator: torch.Generator,
        dtype: torch.dtype | None = None,
    ) -> tuple[Latent, Float[Tensor, "B T S C"]]:
        """Posterior states along observed steps (B, T) and the prior's logits for the same steps.

        `state` is that before the first step, zeros if None. Where `is_first`, state and action
        count as zeros whatever they are. The batch's draws come from `generator`.
        """
        rows, steps = is_first.shape
        state = state or self.initial(rows, embed)
        compute = dtype or self.recurrence.dtype
        keep = (~is_first).to(self.recurrence.dtype).T.unsqueeze(-1)
        uniform = torch.rand(
            (steps, rows, self.size.stoch, 1),
            generator=generator, device=embed.device, dtype=self.recurrence.dtype,
        )  # fmt: skip
        action_part = self.recurrence.action_part(actions.transpose(0, 1) * keep, compute)
        embed_part = self.recurrence.embed_part(embed.transpose(0, 1), compute)
        deter, logits, stoch = ObservedScan.apply(
            action_part, embed_part, keep, uniform, state.deter, state.stoch,
            self.uniform_mix, compute, *self.recurrence.weights(),
        )  # fmt: skip
        prior = self.prior(deter, compute)
        latent = Latent(deter.transpose(0, 1), stoch.transpose(0, 1), logits.transpose(0, 1))
        return latent, prior.transpose(0, 1)

    def predict(
        self,
        state: Latent,
        action: Float[Tensor, "B A"],
        *,
        generator: torch.Generator,
        dtype: torch.dtype | None = None,
    ) -> Latent:
        """One step of the prior: the state after `action`, unseen."""
        compute = dtype or self.recurrence.dtype
        weights = self.recurrence.weights().to(compute)
        part = self.recurrence.action_part(action, compute)
        deter = transition(state.deter, state.flat_stoch, part, weights)
        logits = self.prior(deter, compute)
        uniform = torch.rand(
            (*logits.shape[:-1], 1), generator=generator, device=logits.device, dtype=logits.dtype
        )
        return Latent(deter, straight_through(logits, uniform, self.uniform_mix), logits)

    def imagine(
        self,
        policy: Policy,
        state: Latent,
        horizon: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype | None = None,
    ) -> tuple[Latent, Float[Tensor, "B H A"]]:
        """Follow `policy` for `horizon` steps of the prior from `state` (B,).

        States (B, horizon + 1), the first being `state`, and the actions between them.
        Differentiable; wrap in `torch.no_grad()` where gradients are not wanted. Raises ValueError
        for a horizon below 1.
        """
        if horizon < 1:
            raise ValueError(f"the horizon of imagination must be at least 1, got {horizon}")
        states, actions = [state], []
        for _ in range(horizon):
            action = policy(states[-1].feature)
            actions.append(action)
            states.append(self.predict(states[-1], action, generator=generator, dtype=dtype))
        return stack_time(states), torch.stack(actions, dim=1)

    def follow(
        self,
        state: Latent,
        actions: Float[Tensor, "B H A"],
        *,
        generator: torch.Generator,
        dtype: torch.dtype | None = None,
    ) -> Latent:
        """Open-loop prediction: states (B, H) after each of the given actions."""
        states = []
        for action in actions.unbind(dim=1):
            state = self.predict(state, action, generator=generator, dtype=dtype)
            states.append(state)
        return stack_time(states)


def stack_time(states: list[Latent]) -> Latent:
    """States (B, …) of consecutive steps as one (B, T, …)."""
    return Latent(
        torch.stack([state.deter for state in states], dim=1),
        torch.stack([state.stoch for state in states], dim=1),
        torch.stack([state.logits for state in states], dim=1),
    )
