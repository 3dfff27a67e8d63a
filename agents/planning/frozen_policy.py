"""A trained policy in another task: it reads the part of the observation that it knows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agents.errors import UsageError
from agents.evaluation.rollouts import SkillPolicy
from agents.hierarchy.interface import Interface
from envs.vector_world import VectorWorld

WHOLE = "observation"
"""Name of the only part of an observation without names."""


class FrozenPolicy:
    """`policy`, reading `columns` of the observation; `parts` names the parts of what it reads."""

    def __init__(
        self, policy: SkillPolicy, columns: Int[Tensor, " C"], parts: Mapping[str, slice]
    ) -> None:
        self.policy, self.columns, self.parts = policy, columns, parts
        self.device = policy.device

    def known(self, obs: Float[Tensor, "N O"]) -> Float[Tensor, "N C"]:
        """The part of an observation that the policy was trained on."""
        return obs[:, self.columns]

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1] for observations of the new task."""
        return self.policy.act(self.known(obs), skill, deterministic)


def freeze(policy: SkillPolicy, trained: VectorWorld, world: VectorWorld) -> FrozenPolicy:
    """The policy trained in worlds like `trained`, made to act in worlds like `world`.

    Parts of the observation are matched by their names: see `Interface.columns_in`. Raises
    UsageError naming what is missing or different, be it in the observation, the actions or the
    time between two of them.
    """
    try:
        columns = Interface.of(trained).columns_in(Interface.of(world))
    except ValueError as error:
        raise UsageError(f"{error}; choose a task of the same robot with --env") from error
    return FrozenPolicy(policy, torch.from_numpy(columns).to(policy.device), _layout(trained))


def _layout(world: VectorWorld) -> Mapping[str, slice]:
    if world.observation_layout is not None:
        return world.observation_layout
    return {WHOLE: slice(0, (world.single_observation_space.shape or (0,))[0])}
