"""Koopman dynamics: latents in which observed dynamics are linear, shaped by information."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from rl_info.analysis.von_neumann import latent_entropy
from rl_info.dynamics.batch import SequenceBatch
from rl_info.dynamics.koopman.config import KoopmanConfig
from rl_info.dynamics.koopman.information import (
    MEASURES,
    Neighbours,
    NormalInformation,
    time_pairs,
)
from rl_info.dynamics.koopman.operators import Operators
from rl_info.dynamics.koopman.reconstruction import Decoder, unexplained_share
from rl_info.dynamics.representation.base import Losses, Metrics
from rl_info.nn.initialisation import fan_in_normal


@dataclass(frozen=True)
class KoopmanObserved:
    """What the model made of a batch."""

    z: Float[Tensor, "B T D"]
    """Latents of the observations."""
    predicted: Float[Tensor, "H B T D"]
    """Latents of the same steps, predicted from 1 to H steps before."""
    valid: Bool[Tensor, "H B T"]
    """Which predictions lie within one episode."""


class KoopmanDynamics(nn.Module):
    """z = φ(o), z' = K z + B a + c, after Information Koopman (arXiv 2510.13025).

    The loss is −α I(z_n; P_n) + β‖z_{n+1} − K z_n − B a_n − c‖² − γ S(C / tr C) + reconstruction:
    information with neighbours in time P_n makes latents coherent, linear prediction makes them
    Markov, and the von Neumann entropy of their covariance keeps them from collapsing onto few
    directions. Departures from the paper, each with a switch: the error of prediction is relative
    to the variance of the latents, and there is a constant c. Reconstruction is the share of the
    observations' variance that latents and one-step predictions leave unexplained.

    `encoder` (with an `output_dim`) and `decoder` are injected; the head, K, B and c start from
    `generator`, K at the identity. Raises ValueError if reconstruction is on without a decoder.
    """

    def __init__(
        self,
        encoder: nn.Module,
        action_dim: int,
        config: KoopmanConfig,
        generator: torch.Generator,
        decoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if config.reconstruction_weight and decoder is None:
            raise ValueError("reconstruction needs a decoder: give one, or set its weight to 0")
        self.config, self.action_dim = config, action_dim
        self.encoder = encoder
        self.decoder: Decoder | None = decoder
        width, embed = config.latent_dim, int(encoder.output_dim)  # type: ignore[arg-type]
        self.head = nn.utils.skip_init(nn.Linear, embed, width)
        nn.init.orthogonal_(self.head.weight, generator=generator)
        nn.init.zeros_(self.head.bias)
        self.transition = nn.Parameter(torch.eye(width))
        self.control = nn.Parameter(fan_in_normal((width, action_dim), width, generator))
        self.offset = nn.Parameter(torch.zeros(width), requires_grad=config.offset)
        self.information = MEASURES[config.information](config, generator)
        self._normal_information = NormalInformation(config, generator)
        weights = {
            "information": config.information_weight,
            "prediction": config.prediction_weight,
            "entropy": config.entropy_weight,
            "reconstruction": config.reconstruction_weight,
        }
        self.scales = {name: weight for name, weight in weights.items() if weight}

    @property
    def operators(self) -> Operators:
        """K, B and c, with gradients."""
        return Operators(self.transition, self.control, self.offset)

    def encode(self, obs: Shaped[Tensor, "*S"]) -> Float[Tensor, "*B D"]:
        """Latents of uint8 images (*, H, W, C) or float32 vectors (*, O)."""
        latents: Tensor = self.head(self.encoder(obs))
        return latents

    def imagine(
        self, z: Float[Tensor, "*N D"], action: Float[Tensor, "*N H A"]
    ) -> Float[Tensor, "*N H D"]:
        """Latents after each of H actions in [-1, 1]."""
        return self.operators.follow(z, action)

    def observe(self, batch: SequenceBatch) -> KoopmanObserved:
        """Latents of a batch, and those predicted from up to `prediction_steps` steps before.

        Raises ValueError for sequences too short for the settings.
        """
        steps, ahead = batch.is_first.shape[1], self.config.prediction_steps
        needed = max(ahead, self.config.neighbours) + 1
        if steps < needed:
            raise ValueError(
                f"sequences of {steps} observations are too short: {self.config.neighbours} "
                f"neighbours and {ahead} prediction_steps need {needed}"
            )
        z, operators = self.encode(batch.obs), self.operators
        rolled, valid = z, ~batch.is_first
        predicted, valids = [], []
        for _ in range(ahead):
            # Index t holds the action that led to it: what was known a step before moves there.
            rolled = operators.step(_shift(rolled), batch.action)
            predicted.append(rolled)
            valids.append(valid.clone())
            valid = valid & _shift(valid)
        mask = torch.stack(valids)
        for step in range(ahead):
            mask[step, :, : step + 1] = False
        return KoopmanObserved(z, torch.stack(predicted), mask)

    def loss(self, batch: SequenceBatch) -> tuple[Losses, Metrics]:
        """Unweighted losses of the terms that are on, and metrics; `total` weighs and adds them.

        Metrics, all detached: `information` and `latent_entropy` (nats), `prediction_share` (the
        error over the latents' variance), and the losses as `loss_…`. Raises ValueError if no
        transition lies within an episode.
        """
        seen = self.observe(batch)
        losses: Losses = {}
        share = prediction_share(seen, relative=True)
        if "prediction" in self.scales:
            relative = self.config.relative_prediction
            losses["prediction"] = share if relative else prediction_share(seen, relative=False)
        neighbours = self._neighbours(seen, batch.is_first)
        information, entropy = self._measured(neighbours)
        if "information" in self.scales:
            losses["information"] = -information
        if "entropy" in self.scales:
            losses["entropy"] = -entropy
        if "reconstruction" in self.scales:
            losses["reconstruction"] = self._reconstruction(seen, batch.obs)
        metrics = {
            "information": information.detach(),
            "latent_entropy": entropy.detach(),
            "prediction_share": share.detach(),
            **{f"loss_{name}": value.detach() for name, value in losses.items()},
        }
        return losses, metrics

    def total(self, losses: Losses) -> Float[Tensor, ""]:
        """Weighted sum of the losses; raises ValueError unless their names are those of scales."""
        if losses.keys() != self.scales.keys():
            raise ValueError(
                f"losses {sorted(losses)} and scales {sorted(self.scales)} must have the same names"
            )
        return torch.stack([self.scales[name] * value for name, value in losses.items()]).sum()

    def _measured(self, found: Neighbours) -> tuple[Tensor, Tensor]:
        """Information and entropy; without gradient where their terms are off."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and "information" in self.scales):
            information = self.information(found)
        with torch.set_grad_enabled(torch.is_grad_enabled() and "entropy" in self.scales):
            entropy = latent_entropy(found.z.flatten(0, 1))
        return information, entropy

    def _neighbours(self, seen: KoopmanObserved, is_first: Bool[Tensor, "B T"]) -> Neighbours:
        lags = range(1, self.config.neighbours + 1)
        pairs = tuple(time_pairs(seen.z, is_first, lag) for lag in lags)
        kept = tuple(pair for pair in pairs if len(pair[0]) >= 2)
        if not kept:
            raise ValueError("no two observations of the batch follow each other in an episode")
        residual = (seen.z - seen.predicted[0])[seen.valid[0]]
        return Neighbours(seen.z, kept, residual, self.operators)

    def _reconstruction(self, seen: KoopmanObserved, obs: Shaped[Tensor, "B T *O"]) -> Tensor:
        assert self.decoder is not None
        valid = seen.valid[0]
        now = unexplained_share(self.decoder, seen.z.flatten(0, 1), obs.flatten(0, 1))
        ahead = unexplained_share(self.decoder, seen.predicted[0][valid], obs[valid])
        return (now + ahead) / 2

    @torch.no_grad()
    def diagnostics(self, batch: SequenceBatch) -> Metrics:
        """`normal_information` (nats), the closed form, and the `spectral_radius` of K."""
        found = self._neighbours(self.observe(batch), batch.is_first)
        return {
            "normal_information": self._normal_information(found),
            "spectral_radius": torch.linalg.eigvals(self.transition).abs().max(),
        }


def prediction_share(seen: KoopmanObserved, *, relative: bool) -> Float[Tensor, ""]:
    """Mean squared error of prediction, summed over latents, averaged over steps ahead.

    If `relative`, over the latents' total variance tr C: 1 is what their mean predicts.
    """
    errors = (seen.predicted - seen.z).square().sum(dim=-1)
    counts = seen.valid.sum(dim=(1, 2))
    per_step = torch.where(seen.valid, errors, 0.0).sum(dim=(1, 2)) / counts.clamp_min(1)
    error = per_step[counts > 0].mean()
    if not relative:
        return error
    rows = seen.z.flatten(0, 1)
    variance = (rows - rows.mean(dim=0)).square().sum(dim=1).mean()
    return error / variance.clamp_min(torch.finfo(variance.dtype).tiny)


def _shift(x: Shaped[Tensor, "B T *D"]) -> Shaped[Tensor, "B T *D"]:
    """What was at t − 1; the first keeps its own."""
    return torch.cat([x[:, :1], x[:, :-1]], dim=1)
