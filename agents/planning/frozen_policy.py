"""A trained policy in another task: it reads the part of the observation that it knows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agents.errors import UsageError
from agents.evaluation.rollouts import SkillPolicy
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

    Parts of the observation are matched by their names. Raises UsageError naming the parts that
    are missing or of another width, or actions of another width.
    """
    theirs, ours = trained.single_action_space.shape, world.single_action_space.shape
    if theirs != ours:
        raise UsageError(
            f"the agent acts in {trained.spec_id} with actions of shape {theirs}, those of "
            f"{world.spec_id} have the shape {ours}: choose a task of the same robot with --env"
        )
    if trained.spec_id != world.spec_id and None in (
        trained.observation_layout, world.observation_layout,
    ):  # fmt: skip
        raise UsageError(
            f"the parts of the observations of {trained.spec_id} and {world.spec_id} have no "
            "names to match them by: plan in the environment of the run"
        )
    known, present = _layout(trained), _layout(world)
    columns = []
    for name, part in known.items():
        width, found = part.stop - part.start, present.get(name)
        if found is None or found.stop - found.start != width:
            what = "no such part" if found is None else f"{found.stop - found.start} numbers there"
            raise UsageError(
                f"the agent reads {name!r} ({width} numbers of {trained.spec_id}), but "
                f"{world.spec_id} has {what}; its parts: {', '.join(present)}"
            )
        columns += list(range(found.start, found.stop))
    return FrozenPolicy(policy, torch.tensor(columns, device=policy.device), known)


def _layout(world: VectorWorld) -> Mapping[str, slice]:
    if world.observation_layout is not None:
        return world.observation_layout
    return {WHOLE: slice(0, (world.single_observation_space.shape or (0,))[0])}
