"""TLDR: goals by temporal distance (Bae, Park & Lee, CoRL 2024, arXiv 2407.08464)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from rl_info.nn.perceptron import perceptron
from rl_info.rewards.base import IntrinsicReward, Metrics, RewardContext
from rl_info.rewards.dual import DualConstraint
from rl_info.rewards.inputs import StateEmbedding, StateInput, StateNetworkConfig, needed_signals
from rl_info.rewards.particles import ReferenceRows, mean_neighbour_distance
from rl_info.skills import SkillKind
from rl_info.transitions import Transitions

FAR, SHARPNESS = 500.0, 0.01
"""Distance up to which φ is pushed apart at full strength, and how sharply that ends."""


@dataclass(frozen=True)
class TLDRConfig(StateNetworkConfig):
    """Settings of the TLDR reward."""

    neighbours: int = 12
    """k: nearest neighbours by whose distances goals are chosen."""
    reference_rows: int = 1024
    """Recent states among which goals are chosen."""
    slack: float = 1e-3
    """ε: the constraint counts as met up to this much."""
    initial_multiplier: float = 30.0
    """λ at the start."""
    goals: int = 64
    """States kept as goals, those farthest from their neighbours in steps."""
    goal_interval: int = 100
    """Batches after which the goals are chosen anew."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("neighbours", self.neighbours >= 1, "at least 1")
        least = max(self.neighbours + 1, self.goals, 4)
        self.require("reference_rows", self.reference_rows >= least, f"at least {least}")
        self.require("goals", self.goals >= 1, "at least 1")
        self.require("goal_interval", self.goal_interval >= 1, "at least 1")


class TLDR(IntrinsicReward, StateEmbedding):
    """r = ‖φ(g) − φ(s)‖ − ‖φ(g) − φ(s')‖: steps by which s' is nearer to the skill's goal g.

    ‖φ(s) − φ(g)‖ becomes the number of steps between s and g: φ spreads random pairs, maximising
    −softplus(500 − ‖φ(s) − φ(g)‖), while adjacent states stay within 1, by dual descent as in
    METRA. Goals are seldom reached states: of recent ones those whose k nearest neighbours are
    farthest in φ. Limits: the paper's policy is given g itself. Here it is given a skill, so g is
    the kept goal that lies farthest from the mean goal in the direction of z in latent space,
    which therefore has as many dimensions as the skill. There is no second policy that explores
    beyond the goal; add the reward `apt` for that.
    """

    skill_kinds: ClassVar[frozenset[SkillKind]] = frozenset({"discrete", "continuous"})
    goals: Tensor
    batches: Tensor

    def __init__(
        self, context: RewardContext, config: TLDRConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context, requires=needed_signals(config.input))
        self.config = config
        self.state = StateInput(context, config.input, config.normaliser_rows)
        width, layers = self.state.width, (config.hidden_dim, config.hidden_layers)
        self.phi = perceptron(width, *layers, context.skill.dim, generator)
        self.constraint = DualConstraint(config.initial_multiplier, config.slack)
        self.reference = ReferenceRows(config.reference_rows, width)
        self.register_buffer("goals", torch.zeros(config.goals, width))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def embed(self, state: Float[Tensor, "B D"]) -> Float[Tensor, "B Z"]:
        """φ(s) of raw states."""
        return self.phi(self.state(state))

    def loss(self, batch: Transitions) -> tuple[Float[Tensor, ""], Metrics]:
        """Losses of φ and log λ, whose gradients are disjoint; advances statistics and goals."""
        states = self.state.both(batch)
        self.state.learn(states.chunk(2)[0])
        self._advance(states.chunk(2)[1])
        before, after = self.embed(states).chunk(2)
        # Every s with every s' of the batch as a random goal.
        distance = torch.cdist(before, after)
        spread = -softplus(FAR - distance, beta=SHARPNESS).mean(dim=-1)
        squared = (after - before).square().sum(dim=-1)
        loss, metrics = self.constraint(spread, 1.0 - squared)
        return loss, metrics | {
            "squared_step": squared.detach().mean(),
            "distance": distance.detach().mean(),
        }

    def goal(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """φ(g) of the goal that each skill stands for."""
        goals = self.embed(self.goals)
        direction = self.context.skill.direction(skill)
        return goals[(direction @ (goals - goals.mean(dim=0)).T).argmax(dim=-1)]

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """How many steps nearer to the goal; at most 1 once φ meets its bound."""
        before, after = self.embed(self.state.both(batch)).chunk(2)
        goal = self.goal(batch.skill)
        return (goal - before).norm(dim=-1) - (goal - after).norm(dim=-1)

    @torch.no_grad()
    def _advance(self, states: Float[Tensor, "B D"]) -> None:
        """Let states join the reference; at every `goal_interval` choose the goals anew."""
        self.reference.add(states)
        if self.batches % self.config.goal_interval == 0:
            self.goals.copy_(self._seldom_reached())
        self.batches += 1

    def _seldom_reached(self) -> Float[Tensor, "G D"]:
        """The reference states whose nearest neighbours are farthest in φ."""
        filled = self.reference.age > 0
        latent = self.embed(self.reference.rows)
        # One neighbour more than asked for: every state finds itself at distance 0.
        score = mean_neighbour_distance(latent, latent, filled, self.config.neighbours + 1)
        chosen = score.masked_fill(~filled, -1.0).topk(self.config.goals).indices
        # Until enough states are known, known ones stand in for those not yet written.
        known = torch.where(filled[chosen], chosen, chosen[0])
        return self.reference.rows[known]
