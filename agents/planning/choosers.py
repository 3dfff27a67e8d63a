"""Who chooses the skills of an episode: planning, chance, or the latent space of a reward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from agents.planning.aim import Aim, GoalDistance, PlanningState
from agents.planning.frozen_policy import FrozenPolicy
from agents.planning.goals import DrawnGoals, goal_places
from agents.planning.planners import Model, Planner, PlannerConfig
from agents.planning.proposals import Proposal, start_proposal
from rl_info.rewards.inputs import StateEmbedding
from rl_info.skills import SkillSpec

Signals = dict[str, Float[Tensor, "N D"]]


@dataclass
class Plans:
    """The plans of one set of episodes, in the order of their making."""

    steps: list[int] = field(default_factory=list)
    """Env step of each decision."""
    foreseen: list[Float[Tensor, "N H P"]] = field(default_factory=list)
    """Places after each skill of the plan, mean over the members of the model, m."""


class PlannedSkills:
    """Plans anew every `skill_steps` steps, beginning with what is left of the last plan."""

    def __init__(
        self,
        model: Model,
        planner: Planner,
        search: PlannerConfig,
        policy: FrozenPolicy,
        spec: SkillSpec,
        aim: Aim,
        drawn: DrawnGoals | None,
        *,
        skill_steps: int,
        horizon: int,
        episode_steps: int,
        noise: float,
        generator: torch.Generator,
        on_decision: Callable[[int], object],
    ) -> None:
        self.model, self.planner, self.search = model, planner, search
        self.policy, self.spec, self.aim, self.drawn = policy, spec, aim, drawn
        self.skill_steps, self.horizon, self.episode_steps = skill_steps, horizon, episode_steps
        self.noise, self.generator, self.on_decision = noise, generator, on_decision
        self.plans = Plans()
        self._step = 0
        self._proposal: Proposal | None = None
        self._skills: Float[Tensor, "N Z"] | None = None

    def __call__(self, obs: Float[Tensor, "N F"], signals: Signals) -> Float[Tensor, "N Z"]:
        """The skills of this step."""
        if self._skills is None or self._step % self.skill_steps == 0:
            self._skills = self._decide(obs, signals)
            self.on_decision(1)
        self._step += 1
        return self._skills

    def _decide(self, obs: Float[Tensor, "N F"], signals: Signals) -> Float[Tensor, "N Z"]:
        # A plan that goes on after the end of the episode would put off what is due before.
        left = -(-(self.episode_steps - self._step) // self.skill_steps)
        length = min(self.horizon, max(left, 1))
        place = signals[self.aim.place][:, : self.aim.width]
        state = PlanningState(obs, self.policy.known(obs), place)
        cost = GoalDistance(goal_places(self.aim, self.drawn, signals))
        if self._proposal is None:
            start = start_proposal(self.spec, len(obs), length, self.noise, obs.device)
        else:
            start = self._proposal.shift(length)
        found = self.planner(self.model, cost, state, start, self.search, self.generator)
        self._proposal = found.proposal
        sequence = found.skills
        foreseen = self.model.predict(state, sequence[:, None]).mean(dim=0)[:, 0]
        self.plans.steps.append(self._step)
        self.plans.foreseen.append(foreseen.cpu())
        return sequence[:, 0]


class ZeroShotSkills:
    """The skill nearest to φ(g) − φ(s), inferred at every step (METRA, arXiv 2310.08887)."""

    def __init__(
        self,
        embedding: StateEmbedding,
        policy: FrozenPolicy,
        spec: SkillSpec,
        aim: Aim,
        drawn: DrawnGoals | None,
    ) -> None:
        self.embedding, self.policy, self.spec = embedding, policy, spec
        self.aim, self.drawn = aim, drawn

    def __call__(self, obs: Float[Tensor, "N F"], signals: Signals) -> Float[Tensor, "N Z"]:
        """The skills of this step."""
        now = self.embedding.state.select(self.policy.known(obs), signals)
        if self.embedding.state.reads_observation:
            assert self.drawn is not None
            goal = torch.as_tensor(self.drawn.obs, device=obs.device)
        else:
            goal = goal_places(self.aim, self.drawn, signals)
        with torch.inference_mode():
            return self.spec.nearest(self.embedding.embed(goal) - self.embedding.embed(now))
