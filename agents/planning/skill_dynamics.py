"""Skill dynamics: what a state becomes while a frozen policy follows a skill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.planning.aim import PlanningState
from agents.training.files import replace_atomically
from agents.training.state_tree import decode, encode
from rl_info.nn.perceptron_ensemble import PerceptronEnsemble
from rl_info.nn.running_normaliser import RunningNormaliser

MOST_ROWS = 65_536
"""Rows that go through the networks at a time, which bounds the memory."""


@dataclass(frozen=True)
class DynamicsShape:
    """Sizes of a model of skill dynamics."""

    obs: int
    """Numbers that the policy reads."""
    place: int
    """Coordinates of the place that planning cares about."""
    skill: int
    """Width of a skill."""
    skill_steps: int
    """Env steps for which a skill is held."""
    members: int = 5
    hidden_dim: int = 256
    hidden_layers: int = 2


class SkillDynamics(nn.Module):
    """Ensemble of E perceptrons, s and z → change of s over one skill of k steps.

    Planning in the space of skills follows DADS (Sharma et al., arXiv 1907.01657, section 4): skill
    dynamics learned from the frozen policy, MPPI over sequences of skills. Ours differ: DADS learns
    a mixture of Gaussians as a part of discovery and for one step; this is a regression after
    discovery, for k steps at once, and serves the skills of any method. Each member goes its own
    way through a sequence, as particles with fixed members do in PETS (Chua et al.,
    arXiv 1805.12114), so that the mean cost tells of what the members disagree about.

    The state is what the policy reads (O), with the place (P) beside it. The place is predicted
    and not read, as x and y in DADS: where a body moves over a plain, dynamics do not depend on
    it; where they do, the observation holds it. Inputs and outputs are standardised; standardised
    inputs are clipped at ±10.
    """

    def __init__(self, shape: DynamicsShape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        width = shape.obs + shape.place
        self.inputs = RunningNormaliser(shape.obs)
        self.outputs = RunningNormaliser(width)
        self.net = PerceptronEnsemble(
            shape.members,
            shape.obs + shape.skill,
            shape.hidden_dim,
            shape.hidden_layers,
            width,
            generator,
        )

    def observe(self, obs: Float[Tensor, "B O"], change: Float[Tensor, "B D"]) -> None:
        """Let rows of data count in the statistics of inputs and outputs."""
        self.inputs.observe(obs)
        self.outputs.observe(change)

    def forward(
        self, obs: Float[Tensor, "E B O"], skill: Float[Tensor, "E B Z"]
    ) -> Float[Tensor, "E B D"]:
        """Standardised change of observation and place, from raw observations."""
        return self.net(torch.cat([self.inputs(obs), skill], dim=-1))

    def change(
        self, obs: Float[Tensor, "E B O"], skill: Float[Tensor, "E B Z"]
    ) -> Float[Tensor, "E B D"]:
        """Change of the observation (O), then of the place (P), in their own units."""
        return self(obs, skill) / self.outputs.inverse_std + self.outputs.shift

    @torch.inference_mode()
    def predict(
        self, state: PlanningState, skills: Float[Tensor, "B S H Z"]
    ) -> Float[Tensor, "E B S H P"]:
        """Places after each of H skills, as each member foresees them."""
        samples = skills.shape[1]
        # Problems at a time, so that hidden layers stay small.
        count = max(MOST_ROWS // (self.shape.members * samples), 1)
        parts = zip(
            state.obs.split(count), state.place.split(count), skills.split(count), strict=True
        )
        return torch.cat([self._futures(*part) for part in parts], dim=1)

    def _futures(
        self,
        obs: Float[Tensor, "B O"],
        place: Float[Tensor, "B P"],
        skills: Float[Tensor, "B S H Z"],
    ) -> Float[Tensor, "E B S H P"]:
        problems, samples, length, _ = skills.shape
        members = self.shape.members
        now, there = (
            rows.repeat_interleave(samples, dim=0).expand(members, -1, -1) for rows in (obs, place)
        )
        steps = skills.flatten(0, 1)
        found = []
        for index in range(length):
            change = self.change(now, steps[:, index].expand(members, -1, -1))
            now = now + change[..., : self.shape.obs]
            there = there + change[..., self.shape.obs :]
            found.append(there)
        places = torch.stack(found, dim=-2)
        return places.reshape(members, problems, samples, length, self.shape.place)

    def save(self, path: Path) -> None:
        """Write sizes, statistics and weights as one safetensors file, atomically."""
        content = {"shape": asdict(self.shape), "state": dict(self.state_dict())}
        replace_atomically(path, encode(content))

    @classmethod
    def load(cls, path: Path) -> SkillDynamics:
        """The model that `save` wrote; raises KeyError or SafetensorError for another file."""
        content = decode(path)
        model = cls(DynamicsShape(**content["shape"]), torch.Generator())
        model.load_state_dict(content["state"])
        return model
