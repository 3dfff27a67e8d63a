"""What a step of latents tells about the action behind it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.representation.base import ModelContext
from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture


class ActionDensities(nn.Module):
    """q_ψ(a_{t−1} | z_{t−1}, z_t) and ω(a_{t−1} | z_{t−1}), mixtures of Gaussians.

    E[ln q_ψ − ln ω] estimates I(a_{t−1}; z_t | z_{t−1}): the empowerment term of InfoPower, where
    −E ln ω stands for the policy's entropy H(π(a|z)), which replayed steps do not carry. Only the
    stochastic z is read: h_t is a function of a_{t−1} by construction and would tell it for free.
    Limits: the first mean is at most −H(a|z,z'), the second at least H(a|z), so their sum is no
    bound on either side; and a posterior that reads h_t copies the action into z_t at no cost in
    KL, since the prior knows it too: let the posterior read the observation alone.
    """

    def __init__(
        self,
        context: ModelContext,
        *,
        components: int,
        min_std: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        width = context.size.flat_stoch
        self.inverse, self.source = (
            ConditionalGaussianMixture(
                given,
                context.action_dim,
                components=components,
                hidden_dim=context.size.units,
                hidden_layers=1,
                generator=generator,
                min_std=min_std,
            )
            for given in (2 * width, width)
        )

    def inverse_log_prob(
        self,
        before: Float[Tensor, "N SC"],
        after: Float[Tensor, "N SC"],
        action: Float[Tensor, "N A"],
    ) -> Float[Tensor, " N"]:
        """ln q_ψ(a | z, z') in nats."""
        log_prob: Tensor = self.inverse(action, torch.cat([before, after], dim=-1))
        return log_prob

    def source_log_prob(
        self, before: Float[Tensor, "N SC"], action: Float[Tensor, "N A"]
    ) -> Float[Tensor, " N"]:
        """ln ω(a | z) in nats."""
        log_prob: Tensor = self.source(action, before)
        return log_prob


def transitions(
    posterior: Latent, batch: SequenceBatch
) -> tuple[Float[Tensor, "N SC"], Float[Tensor, "N SC"], Float[Tensor, "N A"], Bool[Tensor, " N"]]:
    """z_{t−1}, z_t, a_{t−1} of all N = B·(T − 1) pairs, and whether both are of one episode."""
    z = posterior.flat_stoch
    within = ~batch.is_first[:, 1:]
    parts = (z[:, :-1], z[:, 1:], batch.action[:, 1:])
    before, after, action = (part.flatten(0, 1) for part in parts)
    return before, after, action, within.flatten()


def masked_mean(values: Float[Tensor, " N"], mask: Bool[Tensor, " N"]) -> Float[Tensor, ""]:
    """Mean where the mask holds; 0 if it holds nowhere."""
    return (values * mask).sum() / mask.sum().clamp_min(1)
