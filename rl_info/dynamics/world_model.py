"""A world model: encoder, recurrent state-space model, heads, and an injected objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.gradient_scale import scale_gradient
from rl_info.dynamics.heads import ContinueHead, TwoHotHead
from rl_info.dynamics.kl import balanced_kl
from rl_info.dynamics.latent import Latent
from rl_info.dynamics.representation.base import (
    Losses,
    Metrics,
    ModelContext,
    ObservationSpec,
    Observed,
)
from rl_info.dynamics.representation.registry import build_representation, find_representation
from rl_info.dynamics.rssm import RSSM
from rl_info.dynamics.sizes import SIZES, WorldModelSize
from rl_info.nn.categorical_latent import (
    UNIFORM_MIX,
    categorical_entropy,
    mixed_log_probabilities,
)
from rl_info.nn.image_encoder import ImageEncoder
from rl_info.nn.stacked_mlp import Precision
from rl_info.nn.vector_encoder import VectorEncoder

BASE_LOSSES = ("dynamics", "representation", "reward", "continue")


@dataclass(frozen=True)
class WorldModelConfig:
    """Settings of a world model.

    Raises ValueError for a value out of range, naming the field.
    """

    size: Literal["tiny", "small", "12m"] = "tiny"
    """Widths of all parts, by name."""
    representation: str = "infopower"
    """What latents shall keep, by name."""
    objective: Any = None
    """Settings of the representation objective; None for its defaults."""
    precision: Precision = "float32"
    """In which matrix products run; parameters, sums and states are float32."""
    free_nats: float = 1.0
    """KL below which neither side of it learns."""
    uniform_mix: float = UNIFORM_MIX
    """Share of the uniform distribution in every categorical."""
    scales: dict[str, float] = field(
        default_factory=lambda: {
            "dynamics": 1.0,
            "representation": 0.1,
            "reward": 1.0,
            "continue": 1.0,
        }
    )
    """Weights of the shared losses, as in DreamerV3."""
    posterior_reads_memory: bool | None = None
    """Whether the posterior reads h_t beside the embedding; None for what the objective needs:
    h_t contains a_{t−1}, and a posterior that reads it can copy the action into z_t, where an
    objective that rewards knowing the action finds it without the world telling."""
    head_layers: int = 1
    """Hidden layers of the heads of reward and continuation."""

    @classmethod
    def field_types(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Types of the fields whose annotations do not tell, among settings as plain values."""
        name = values.get("representation", cls.representation)
        return {"objective": find_representation(name).config | None}

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"size must be one of {', '.join(SIZES)}, got {self.size!r}")
        if not self.free_nats >= 0:
            raise ValueError(f"free_nats must not be negative, got {self.free_nats}")
        if set(self.scales) != set(BASE_LOSSES):
            raise ValueError(
                f"scales must name exactly {', '.join(BASE_LOSSES)}, got {', '.join(self.scales)}"
            )


class WorldModel(nn.Module):
    """Decoder-free world model unless its objective brings a decoder.

    All numbers are drawn from generators that are given: one at construction for parameters, one
    at each call for draws. `size` replaces the named one. Raises ValueError for images other than
    64×64 or 84×84 pixels.
    """

    def __init__(
        self,
        obs: ObservationSpec,
        action_dim: int,
        config: WorldModelConfig,
        generator: torch.Generator,
        size: WorldModelSize | None = None,
    ) -> None:
        super().__init__()
        size = size or SIZES[config.size]
        self.config, self.obs = config, obs
        self.dtype: torch.dtype = getattr(torch, config.precision)
        self.encoder: ImageEncoder | VectorEncoder = build_encoder(obs, size, generator)
        embed_dim = self.encoder.output_dim
        reads_memory = config.posterior_reads_memory
        if reads_memory is None:
            reads_memory = find_representation(config.representation).posterior_reads_memory
        self.rssm = RSSM(
            size,
            embed_dim,
            action_dim,
            generator,
            config.uniform_mix,
            posterior_reads_memory=reads_memory,
        )
        self.reward = TwoHotHead(size.feature, size.units, config.head_layers, generator)
        self.continues = ContinueHead(size.feature, size.units, config.head_layers, generator)
        context = ModelContext(obs, embed_dim, action_dim, size)
        self.objective = build_representation(
            config.representation, context, config.objective, generator
        )
        self.scales = {**config.scales, **self.objective.scales}

    def latent(self, feature: Float[Tensor, "*B F"]) -> Latent:
        """The state with this feature; the logits, which a feature does not hold, are its draws."""
        size = self.rssm.size
        deter, stoch = feature.split([size.deter, size.flat_stoch], dim=-1)
        stoch = stoch.unflatten(-1, (size.stoch, size.classes))
        return Latent(deter, stoch, stoch)

    def observe(
        self, batch: SequenceBatch, state: Latent | None = None, *, generator: torch.Generator
    ) -> Observed:
        """Everything that the losses need: embeddings, states, KL and reward likelihood."""
        embed = self.encoder(batch.obs, self.dtype)
        posterior, prior = self.rssm.observe(
            embed, batch.action, batch.is_first, state, generator=generator, dtype=self.dtype
        )
        config = self.config
        kl = balanced_kl(posterior.logits, prior, config.free_nats, config.uniform_mix)
        weight = self.objective.term_weights(embed).reward
        feature = scale_gradient(posterior.feature, weight)
        reward_log_prob = self.reward.log_prob(feature, batch.reward, self.dtype)
        return Observed(
            batch, embed, posterior, prior, kl, reward_log_prob,
            config.uniform_mix, self.dtype, generator,
        )  # fmt: skip

    def loss(
        self, batch: SequenceBatch, state: Latent | None = None, *, generator: torch.Generator
    ) -> tuple[Losses, Metrics, Latent]:
        """Unweighted losses by name, metrics, and posterior states (B, T) without gradient.

        States are where imagination starts. `total` weighs and adds the losses. `state` is that
        before the first step, zeros if None.
        """
        observed = self.observe(batch, state, generator=generator)
        losses, metrics = self.judge(observed)
        return losses, metrics, observed.posterior.detach()

    def judge(self, observed: Observed) -> tuple[Losses, Metrics]:
        """Unweighted losses and metrics of what `observe` found."""
        batch, posterior, kl = observed.batch, observed.posterior, observed.kl
        forward = self.objective.term_weights(observed.embed).forward
        goes_on = self.continues.log_prob(posterior.feature, batch.terminated, self.dtype)
        losses, metrics = self.objective.loss(observed)
        losses = {
            "dynamics": kl.dynamics.mean(),
            "representation": kl.representation.mean() * forward,
            "reward": -observed.reward_log_prob.mean(),
            "continue": -goes_on.mean(),
            **losses,
        }
        metrics |= self._state_metrics(observed)
        metrics |= {f"loss_{name}": value.detach() for name, value in losses.items()}
        return losses, metrics

    def total(self, losses: Losses) -> Tensor:
        """Weighted sum of the losses; raises ValueError unless their names are those of scales."""
        if losses.keys() != self.scales.keys():
            raise ValueError(
                f"losses {sorted(losses)} and scales {sorted(self.scales)} must have the same names"
            )
        return torch.stack([self.scales[name] * value for name, value in losses.items()]).sum()

    def after_update(self, metrics: Metrics) -> None:
        """To be called once after each step of the optimiser, with the metrics of its loss."""
        self.objective.after_update(metrics)

    @torch.no_grad()
    def _state_metrics(self, observed: Observed) -> Metrics:
        posterior = mixed_log_probabilities(observed.posterior.logits, observed.uniform_mix)
        prior = mixed_log_probabilities(observed.prior, observed.uniform_mix)
        return {
            "kl": observed.kl.value.mean(),
            "posterior_entropy": categorical_entropy(posterior).mean(),
            "prior_entropy": categorical_entropy(prior).mean(),
        }


def build_encoder(
    obs: ObservationSpec, size: WorldModelSize, generator: torch.Generator
) -> ImageEncoder | VectorEncoder:
    """The encoder of images (H, W, C) or vectors (O,); raises ValueError for other shapes."""
    if len(obs.shape) == 1:
        return VectorEncoder(obs.shape[0], size.units, generator)
    if len(obs.shape) == 3 and obs.shape[0] == obs.shape[1]:
        return ImageEncoder(obs.shape[0], obs.shape[2], size.depth, generator)
    raise ValueError(
        f"observations must be square images (H, H, C) or vectors (O,), got shape {obs.shape}"
    )
