"""Information between a latent and its neighbours in time, by three measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from rl_info.analysis.koopman_information import koopman_information
from rl_info.dynamics.koopman.config import KoopmanConfig
from rl_info.dynamics.koopman.operators import Operators
from rl_info.dynamics.representation.critic import BilinearCritic, nwj_information
from rl_info.estimators.variational.infonce import infonce_bound

NOISE_FLOOR = 1e-3
"""Least variance of the noise in each direction, as a share of the latents' mean variance: the
information of noiseless dynamics is infinite."""


@dataclass(frozen=True)
class Neighbours:
    """What the information of one batch is measured on."""

    z: Float[Tensor, "B T D"]
    pairs: tuple[tuple[Tensor, Tensor], ...]
    """For i = 1, 2, …: (z_{t−i}, z_t) of all t within one episode, (N_i, D) each."""
    residual: Float[Tensor, "N D"]
    """z_t − K z_{t−1} − B a_{t−1} − c."""
    operators: Operators


@runtime_checkable
class InformationMeasure(Protocol):
    """From latents in time to nats."""

    def __call__(self, found: Neighbours) -> Float[Tensor, ""]:
        """Information in nats, differentiable."""
        ...


def time_pairs(
    z: Float[Tensor, "B T D"], is_first: Bool[Tensor, "B T"], lag: int
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """Latents `lag` steps apart with no beginning of an episode after the earlier one."""
    begins = is_first.long().cumsum(dim=1)
    same = begins[:, lag:] == begins[:, :-lag]
    return z[:, :-lag][same], z[:, lag:][same]


class NeighbourContrast(nn.Module):
    """InfoNCE of cosines / τ: which z_t of the batch follows z_{t−i}, and the other way round.

    A lower bound of I(z_{t−i}; z_t), at most ln N, averaged over the neighbours i. The published
    code of arXiv 2510.13025 contrasts with other times of the same sequence alone, and sums the
    likelihoods of several neighbours; here negatives come from other sequences too, and every
    neighbour has a bound of its own.
    """

    def __init__(self, config: KoopmanConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.temperature = config.temperature

    def forward(self, found: Neighbours) -> Float[Tensor, ""]:
        """Nats."""
        bounds = []
        for earlier, later in found.pairs:
            scores = normalize(earlier, dim=1) @ normalize(later, dim=1).T / self.temperature
            bounds.append((infonce_bound(scores) + infonce_bound(scores.T)) / 2)
        return torch.stack(bounds).mean()


class NeighbourRatio(nn.Module):
    """NWJ of a learned bilinear critic, averaged over the neighbours."""

    def __init__(self, config: KoopmanConfig, generator: torch.Generator) -> None:
        super().__init__()
        width = config.latent_dim
        self.critic = BilinearCritic(width, width, width, generator)

    def forward(self, found: Neighbours) -> Float[Tensor, ""]:
        """Nats."""
        bounds = [nwj_information(self.critic(earlier, later)) for earlier, later in found.pairs]
        return torch.stack(bounds).mean()


class NormalInformation(nn.Module):
    """The closed form of arXiv 2510.13025 for normal latents, averaged over the neighbours."""

    def __init__(self, config: KoopmanConfig, generator: torch.Generator) -> None:
        super().__init__()

    def forward(self, found: Neighbours) -> Float[Tensor, ""]:
        """Nats."""
        covariance, noise = (
            batch_covariance(found.z.flatten(0, 1)),
            batch_covariance(found.residual),
        )
        variance = covariance.diagonal().mean()
        floor = NOISE_FLOOR * variance.clamp_min(torch.finfo(variance.dtype).tiny)
        noise = noise + floor * torch.eye(len(noise), dtype=noise.dtype, device=noise.device)
        transition = found.operators.transition.double()
        values = [
            koopman_information(transition, covariance, noise, lag)
            for lag in range(1, len(found.pairs) + 1)
        ]
        return torch.stack(values).mean().to(found.z.dtype)


def batch_covariance(z: Float[Tensor, "N D"]) -> Float[Tensor, "D D"]:
    """Covariance of rows, divided by N, in float64."""
    centred = z.double() - z.double().mean(dim=0)
    return centred.T @ centred / len(z)


MeasureFactory = Callable[[KoopmanConfig, torch.Generator], InformationMeasure]
MEASURES: Mapping[str, MeasureFactory] = MappingProxyType(
    {"nce": NeighbourContrast, "nwj": NeighbourRatio, "normal": NormalInformation}
)
"""Measures of information by name."""
