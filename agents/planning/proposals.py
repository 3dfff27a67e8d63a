"""Distributions over sequences of skills, which planners draw from and fit again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.skills import SkillSpec

LEAST_STD = 0.02
"""CEM's Gaussian never gets narrower, so that it can still follow a moving goal."""
SMOOTHING = 0.1
"""Share of the uniform distribution that a fitted categorical one keeps."""


@runtime_checkable
class Proposal(Protocol):
    """Where B planning problems look for their sequences of H skills of width Z."""

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "B S H Z"]:
        """Draw S sequences for each problem."""
        ...

    def refit(
        self,
        samples: Float[Tensor, "B S H Z"],
        weights: Float[Tensor, "B S"],
        adapt_spread: bool,
    ) -> Proposal:
        """The distribution of the weighted samples; weights of a problem sum to 1."""
        ...

    def mode(self) -> Float[Tensor, "B H Z"]:
        """The sequence to carry out."""
        ...

    def shift(self, length: int) -> Proposal:
        """What remains after the first skill, continued as broadly as at first to `length`."""
        ...


def unconstrained(value: Tensor) -> Tensor:
    """Any vector is allowed."""
    return value


def on_sphere(value: Tensor) -> Tensor:
    """The nearest vector of unit length."""
    return torch.nn.functional.normalize(value, dim=-1)


@dataclass(frozen=True)
class GaussianProposal:
    """Independent Gaussians, projected onto the allowed skills.

    Around the mean 0, a Gaussian projected onto the sphere is uniform on it.
    """

    mean: Float[Tensor, "B H Z"]
    std: Float[Tensor, "B H Z"]
    start_std: float
    """Standard deviation of what nothing is known about yet."""
    project: Callable[[Tensor], Tensor] = unconstrained

    @classmethod
    def start(
        cls,
        problems: int,
        length: int,
        width: int,
        std: float,
        project: Callable[[Tensor], Tensor] = unconstrained,
        device: torch.device | str = "cpu",
    ) -> GaussianProposal:
        """Mean 0 and the same standard deviation everywhere."""
        mean = torch.zeros(problems, length, width, device=device)
        return cls(mean, torch.full_like(mean, std), std, project)

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "B S H Z"]:
        """Draw S sequences for each problem."""
        problems, *size = self.mean.shape
        # Drawn where the generator lives, so that every device sees the same numbers.
        noise = torch.randn(problems, count, *size, generator=generator).to(self.mean.device)
        return self.project(self.mean[:, None] + self.std[:, None] * noise)

    def refit(
        self,
        samples: Float[Tensor, "B S H Z"],
        weights: Float[Tensor, "B S"],
        adapt_spread: bool,
    ) -> GaussianProposal:
        """Weighted mean, and weighted standard deviation if the spread adapts."""
        mean = torch.einsum("bs,bshz->bhz", weights, samples)
        if not adapt_spread:
            return replace(self, mean=mean)
        variance = torch.einsum("bs,bshz->bhz", weights, (samples - mean[:, None]).square())
        return replace(self, mean=mean, std=variance.sqrt().clamp_min(LEAST_STD))

    def mode(self) -> Float[Tensor, "B H Z"]:
        """The projected mean."""
        return self.project(self.mean)

    def shift(self, length: int) -> GaussianProposal:
        """What remains after the first skill, continued as broadly as at first to `length`."""
        mean = _shifted(self.mean, length, 0.0)
        # Narrow spreads belong to what was known one skill ago: start broadly around the mean.
        return replace(self, mean=mean, std=torch.full_like(mean, self.start_std))


@dataclass(frozen=True)
class CategoricalProposal:
    """Independent choices among D discrete skills."""

    probabilities: Float[Tensor, "B H Z"]

    @classmethod
    def start(
        cls, problems: int, length: int, count: int, device: torch.device | str = "cpu"
    ) -> CategoricalProposal:
        """All skills are equally likely."""
        return cls(torch.full((problems, length, count), 1.0 / count, device=device))

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "B S H Z"]:
        """Draw S sequences of one-hot skills for each problem."""
        problems, length, skills = self.probabilities.shape
        rows = self.probabilities.reshape(-1, skills).cpu()
        drawn = torch.multinomial(rows, count, replacement=True, generator=generator)
        index = drawn.reshape(problems, length, count).transpose(1, 2)
        hot = torch.nn.functional.one_hot(index, skills).float()
        return hot.to(self.probabilities.device)

    def refit(
        self,
        samples: Float[Tensor, "B S H Z"],
        weights: Float[Tensor, "B S"],
        adapt_spread: bool,
    ) -> CategoricalProposal:
        """Weighted frequencies, mixed with the uniform distribution."""
        frequencies = torch.einsum("bs,bshz->bhz", weights, samples)
        uniform = 1.0 / frequencies.shape[-1]
        return CategoricalProposal((1.0 - SMOOTHING) * frequencies + SMOOTHING * uniform)

    def mode(self) -> Float[Tensor, "B H Z"]:
        """The likeliest skill at each place of the sequence."""
        skills = self.probabilities.shape[-1]
        return torch.nn.functional.one_hot(self.probabilities.argmax(dim=-1), skills).float()

    def shift(self, length: int) -> CategoricalProposal:
        """What remains after the first skill, continued with equal chances to `length`."""
        fill = 1.0 / self.probabilities.shape[-1]
        return CategoricalProposal(_shifted(self.probabilities, length, fill))


def start_proposal(
    spec: SkillSpec, problems: int, length: int, std: float, device: torch.device | str = "cpu"
) -> Proposal:
    """Every skill of the kind is equally likely; raises ValueError for an agent without skills."""
    if spec.kind == "none":
        raise ValueError("planning chooses skills, and this agent has none")
    if spec.kind == "discrete":
        return CategoricalProposal.start(problems, length, spec.dim, device)
    return GaussianProposal.start(problems, length, spec.dim, std, on_sphere, device)


def _shifted(value: Float[Tensor, "B H Z"], length: int, fill: float) -> Float[Tensor, "B L Z"]:
    shifted = torch.full((len(value), length, value.shape[-1]), fill, device=value.device)
    kept = value[:, 1 : length + 1]
    shifted[:, : kept.shape[1]] = kept
    return shifted
