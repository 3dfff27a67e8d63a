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


@dataclass(frozen=True)
class Plan:
    """What a planner found for B problems."""

    skills: Float[Tensor, "B H Z"]
    """The sequence to carry out."""
    proposal: Proposal
    """The fitted distribution, from which the next plan can start."""
    cost: Float[Tensor, " B"]
    """Expected cost of the sequence."""


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
) -> Plan:
    """Model predictive path integral control (Williams et al., arXiv 1707.02342, algorithm 2).

    Each iteration draws sequences with a fixed spread and moves the mean to their average under
    the weights exp(−S/λ), S the cost of a sequence. As in the paper with α = 1, costs of the
    controls themselves belong to `cost`. Departures: several iterations at each decision; λ in
    units of the standard deviation of the sampled costs of a problem, so that it needs no knowledge
    of their size (without spread in the costs all samples weigh the same); and the plan is the
    cheapest sample where that costs less than the mean, as the mean of two ways around something
    may be neither. Discrete skills have categorical distributions, whose probabilities are the
    weighted frequencies.

    Raises FloatingPointError for a cost that is not finite.
    """

    def weigh(costs: Float[Tensor, "B S"]) -> Float[Tensor, "B S"]:
        spread = costs.std(dim=1, keepdim=True, correction=0).clamp_min(1e-12)
        return torch.softmax(-costs / (config.temperature * spread), dim=1)

    return _search(model, cost, state, proposal, config, generator, weigh, adapt_spread=False)


def cem(
    model: Model,
    cost: Cost,
    state: Any,
    proposal: Proposal,
    config: PlannerConfig,
    generator: torch.Generator,
) -> Plan:
    """The cross-entropy method for optimisation (Rubinstein, Methodology and Computing in Applied
    Probability 1, 1999).

    Each iteration draws sequences and fits the distribution, spread included, to the share of them
    that costs least: for a Gaussian mean and standard deviation, for discrete skills the
    frequencies. At least 2 samples count. Departures: the spread keeps a floor, and the frequencies
    a share of the uniform distribution, which the original lets vanish; and the plan is the
    cheapest sample where that costs less than the mode, as in iCEM (Pinneri et al.,
    arXiv 2008.06389).

    Raises FloatingPointError for a cost that is not finite.
    """
    elites = min(max(round(config.elite_share * config.samples), 2), config.samples)

    def weigh(costs: Float[Tensor, "B S"]) -> Float[Tensor, "B S"]:
        chosen = costs.topk(elites, dim=1, largest=False).indices
        return torch.zeros_like(costs).scatter_(1, chosen, 1.0 / elites)

    return _search(model, cost, state, proposal, config, generator, weigh, adapt_spread=True)


Candidates = tuple[Float[Tensor, "B H Z"], Float[Tensor, " B"]]
"""The cheapest sequence of each problem so far, and its cost."""


def _search(
    model: Model,
    cost: Cost,
    state: Any,
    proposal: Proposal,
    config: PlannerConfig,
    generator: torch.Generator,
    weigh: Callable[[Float[Tensor, "B S"]], Float[Tensor, "B S"]],
    *,
    adapt_spread: bool,
) -> Plan:
    """Draw sequences and refit the proposal to them, weighed by their costs, again and again."""
    best: Candidates | None = None
    for _ in range(config.iterations):
        samples = proposal.sample(config.samples, generator)
        costs = expected_cost(model, cost, state, samples)
        best = _cheaper(best, samples, costs)
        proposal = proposal.refit(samples, weigh(costs), adapt_spread=adapt_spread)
    return _conclude(model, cost, state, proposal, best)


def _cheaper(
    best: Candidates | None, samples: Float[Tensor, "B S H Z"], costs: Float[Tensor, "B S"]
) -> Candidates:
    """The cheapest of what was known and of the samples."""
    least, index = costs.min(dim=1)
    rows = samples[torch.arange(len(samples), device=samples.device), index]
    if best is None:
        return rows, least
    better = least < best[1]
    return torch.where(better[:, None, None], rows, best[0]), torch.where(better, least, best[1])


def _conclude(
    model: Model, cost: Cost, state: Any, proposal: Proposal, best: Candidates | None
) -> Plan:
    """The mode of the fitted distribution, or the cheapest sample where that costs less."""
    mode = proposal.mode()
    skills, least = _cheaper(best, mode[:, None], expected_cost(model, cost, state, mode[:, None]))
    return Plan(skills, proposal, least)


@runtime_checkable
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
    ) -> Plan:
        """Returns the plan of each of B problems."""
        ...


PLANNERS: Mapping[PlannerName, Planner] = {"mppi": mppi, "cem": cem}
