"""Planning by sampling: MPPI and the cross-entropy method, as functions of a batched model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from agents.planning.proposals import Proposal

PlannerName = Literal["mppi", "cem"]


@runtime_checkable
class Model(Protocol):
    """What happens under sequences of skills, or of any other controls."""

    def predict(self, state: Any, skills: Float[Tensor, "B S H Z"]) -> Float[Tensor, "M B S H P"]:
        """Outcome after each of H skills, from B states under S sequences each.

        M members of an ensemble each tell their own outcome; 1 for an exact model.
        """
        ...


Cost = Callable[[Float[Tensor, "M B S H P"], Float[Tensor, "B S H Z"]], Float[Tensor, "M B S"]]
"""What sequences and their outcomes cost; planners make the mean over members small."""


@dataclass(frozen=True)
class PlannerConfig:
    """How a planner searches. Raises ValueError naming a setting that is out of range."""

    samples: int = 256
    """Sequences tried in each iteration."""
    iterations: int = 4
    """Rounds of drawing, judging and fitting."""
    temperature: float = 0.1
    """MPPI: λ, in standard deviations of the sampled costs; small follows the best samples only."""
    elite_share: float = 0.1
    """CEM: share of the samples that the distribution is fitted to."""

    def __post_init__(self) -> None:
        for name in ("samples", "iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be positive, got {self.temperature}")
        if not 0 < self.elite_share <= 1:
            raise ValueError(f"elite_share must be in (0, 1], got {self.elite_share}")


def expected_cost(
    model: Model, cost: Cost, state: Any, skills: Float[Tensor, "B S H Z"]
) -> Float[Tensor, "B S"]:
    """Mean cost over the members of the model; raises FloatingPointError if one is not finite."""
    found = cost(model.predict(state, skills), skills).mean(dim=0)
    if not found.isfinite().all():
        raise FloatingPointError("the planner's model or cost gave a value that is not finite")
    return found


def mppi(
    model: Model,
    cost: Cost,
    state: Any,
    proposal: Proposal,
    config: PlannerConfig,
    generator: torch.Generator,
) -> Proposal:
    """Model predictive path integral control (Williams et al., arXiv 1707.02342, algorithm 2).

    Each iteration draws sequences with a fixed spread and moves the mean to their average under
    the weights exp(−S/λ), S the cost of a sequence. As in the paper with α = 1, costs of the
    controls themselves belong to `cost`. Two departures: several iterations at each decision, and
    λ in units of the standard deviation of the sampled costs of a problem, so that it needs no
    knowledge of their size. Without spread in the costs all samples weigh the same. Discrete
    skills have categorical distributions, whose probabilities are the weighted frequencies.

    Returns the fitted distribution of B problems; its `mode` is the plan.
    """
    for _ in range(config.iterations):
        samples = proposal.sample(config.samples, generator)
        costs = expected_cost(model, cost, state, samples)
        spread = costs.std(dim=1, keepdim=True, correction=0).clamp_min(1e-12)
        weights = torch.softmax(-costs / (config.temperature * spread), dim=1)
        proposal = proposal.refit(samples, weights, adapt_spread=False)
    return proposal


def cem(
    model: Model,
    cost: Cost,
    state: Any,
    proposal: Proposal,
    config: PlannerConfig,
    generator: torch.Generator,
) -> Proposal:
    """The cross-entropy method for optimisation (Rubinstein, Methodology and Computing in Applied
    Probability 1, 1999).

    Each iteration draws sequences and fits the distribution, spread included, to the share of them
    that costs least: for a Gaussian mean and standard deviation, for discrete skills the
    frequencies. At least 2 samples count. The spread keeps a floor, and the frequencies a share of
    the uniform distribution, which the original lets vanish.

    Returns the fitted distribution of B problems; its `mode` is the plan.
    """
    elites = min(max(round(config.elite_share * config.samples), 2), config.samples)
    for _ in range(config.iterations):
        samples = proposal.sample(config.samples, generator)
        costs = expected_cost(model, cost, state, samples)
        best = costs.topk(elites, dim=1, largest=False).indices
        weights = torch.zeros_like(costs).scatter_(1, best, 1.0 / elites)
        proposal = proposal.refit(samples, weights, adapt_spread=True)
    return proposal


class Planner(Protocol):
    """Improves a proposal of sequences; see `mppi` and `cem`."""

    def __call__(
        self,
        model: Model,
        cost: Cost,
        state: Any,
        proposal: Proposal,
        config: PlannerConfig,
        generator: torch.Generator,
    ) -> Proposal:
        """Returns the fitted distribution."""
        ...


PLANNERS: Mapping[PlannerName, Planner] = {"mppi": mppi, "cem": cem}
