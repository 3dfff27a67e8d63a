"""InfoPower (Bharadhwaj et al., ICLR 2022, arXiv 2204.08585) on a categorical RSSM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.dynamics.gradient_scale import scale_gradient
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    Observed,
    RepresentationObjective,
    TermWeights,
)
from rl_info.dynamics.representation.critic import BOUNDS, BilinearCritic
from rl_info.dynamics.representation.dual import LogMultiplier
from rl_info.dynamics.representation.inverse import ActionDensities, masked_mean, transitions


@dataclass(frozen=True)
class InfoPowerConfig:
    """Settings of InfoPower; every term has a switch."""

    bound: Literal["nwj", "nce"] = "nwj"
    """Lower bound of I(o;z)."""
    information: bool = True
    """Maximise I(o;z)."""
    forward: bool = True
    """Bottleneck: latents shall be foreseeable (the KL term shapes the representation)."""
    reward: bool = True
    """Latents shall tell the reward."""
    empowerment: bool = True
    """Latents shall tell the action that led to them."""
    constraint: bool = True
    """Weigh the last three by a learned multiplier; else by 1."""
    least: float = -3.0
    """c0 in nats a step: −KL + I(a;z'|z) + ln q(r|z) is kept above it. The paper gives none."""
    initial_multiplier: float = 1.0
    """λ at the start: 1 gives the loss weights of DreamerV3. RePo starts its λ at 1e-5."""
    multiplier_rate: float = 1e-4
    """Step of ln λ for one nat of slack."""
    critic_width: int = 128
    """Width d of the bilinear critic."""
    components: int = 4
    """Gaussians in each density of the action."""
    min_std: float = 0.05
    """Least deviation of a Gaussian of the action in [-1, 1]: bounds what an action is worth."""


class InfoPower(RepresentationObjective):
    """max Σ I(o;z) + λ (C − c0), C = −KL(posterior ‖ prior) + I(a_{t−1}; z_t|z_{t−1}) + ln q(r|z).

    Negatives of I(o;z) are all other steps of the batch, over time and sequences. λ multiplies the
    gradients of C into encoder and recurrence; prior, reward head and action densities, whose
    optimum λ does not move, learn at full strength. Departures: the second mean of NWJ is under
    the product of marginals; λ is log-parametrised (`LogMultiplier`); KL is balanced with free
    nats as in DreamerV3, while C counts all of it; H(π) is −E ln ω(a|z), see `ActionDensities`; and
    z_t is drawn from o_t alone by default, where the paper's posterior knows a_{t−1} and so could
    meet the empowerment term by copying it. The critic of I(o;z) reads h_t beside z_t. λ multiplies
    the balanced KL at its weight in the world model, so that compression counts a tenth of what
    the printed Lagrangian gives it.
    """

    def __init__(
        self, context: ModelContext, config: InfoPowerConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.critic = BilinearCritic(
            context.embed_dim, context.size.feature, config.critic_width, generator
        )
        self.densities = ActionDensities(
            context, components=config.components, min_std=config.min_std, generator=generator
        )
        self.multiplier = LogMultiplier(config.initial_multiplier, config.multiplier_rate)
        self.bound = BOUNDS[config.bound]
        self.scales = {"information": 1.0, "inverse": 1.0, "source": 1.0}

    def _weight(self, switch: bool) -> Tensor:
        """λ of a term in the representation, 0 if it is switched off."""
        value = self.multiplier.value
        if not self.config.constraint:
            value = torch.ones_like(value)
        return value if switch else torch.zeros_like(value)

    def term_weights(self, like: Tensor) -> TermWeights:
        """λ of the forward and the reward term."""
        return TermWeights(self._weight(self.config.forward), self._weight(self.config.reward))

    def loss(self, observed: Observed) -> tuple[Losses, Metrics]:
        """−I(o;z), −ln q_ψ and −ln ω; the other terms are the model's own."""
        config, batch = self.config, observed.batch
        information = self._information(observed)
        before, after, action, within = transitions(observed.posterior, batch)
        weight = self._weight(config.empowerment)
        inverse = masked_mean(
            self.densities.inverse_log_prob(
                scale_gradient(before, weight), scale_gradient(after, weight), action
            ),
            within,
        )
        # ω stands for the policy that acted: latents shall not make it look more random.
        source = masked_mean(self.densities.source_log_prob(before.detach(), action), within)
        terms = {
            "forward": -observed.kl.value.mean(),
            "empowerment": (inverse - source).detach(),
            "reward": observed.reward_log_prob.detach().mean(),
        }
        zero = terms["forward"].new_zeros(())
        counted = [value if getattr(config, name) else zero for name, value in terms.items()]
        slack = torch.stack(counted).sum() - config.least
        metrics = {
            "information_obs_latent": information.detach(),
            "information_action_latent": terms["empowerment"],
            "inverse_log_density": inverse.detach(),
            "constraint_slack": slack,
            "multiplier": self.multiplier.value,
        }
        return {"information": -information, "inverse": -inverse, "source": -source}, metrics

    def _information(self, observed: Observed) -> Float[Tensor, ""]:
        embed, feature = observed.embed.flatten(0, 1), observed.posterior.feature.flatten(0, 1)
        if not self.config.information:
            # The critic still learns, so that what latents keep is measured.
            embed, feature = embed.detach(), feature.detach()
        return self.bound(self.critic(embed, feature, observed.dtype))

    def after_update(self, metrics: Metrics) -> None:
        """One dual step on λ."""
        if self.config.constraint:
            self.multiplier.step(metrics["constraint_slack"])

    def empowerment(
        self, before: Latent, after: Latent, action: Float[Tensor, "N A"]
    ) -> Float[Tensor, " N"]:
        """ln q_ψ(a | z, z') in nats: the reward of empowerment for imagined steps."""
        return self.densities.inverse_log_prob(before.flat_stoch, after.flat_stoch, action)
