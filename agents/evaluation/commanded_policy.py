"""A policy with commandable weights that has got its command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agents.evaluation.rollouts import SkillPolicy
from agents.training.weight_commands import WeightCommands


class CommandedPolicy:
    """`policy`, told the same weights in every world and step: it takes skills alone."""

    def __init__(self, policy: SkillPolicy, command: Float[Tensor, " K"]) -> None:
        self.device = policy.device
        self._policy = policy
        self._command = command.to(policy.device)

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]."""
        command = self._command.expand(len(skill), -1)
        return self._policy.act(obs, torch.cat([skill, command], dim=-1), deterministic)


def under_weights(
    policy: SkillPolicy,
    commands: WeightCommands | None,
    command: Float[Tensor, " K"] | None = None,
) -> SkillPolicy:
    """`policy` under a command, or else under the configured weights, as one that takes skills.

    Without `commands`, its weights are not commandable and it is one already.
    """
    if commands is None:
        return policy
    return CommandedPolicy(policy, commands.command({}) if command is None else command)


@dataclass(frozen=True)
class CommandedWeights:
    """The weights that a policy was told, by name, for the report."""

    configured: Mapping[str, float]
    """In the settings of the run."""
    asked: Mapping[str, float]
    """By the user; the configured ones where none was named."""
    told: Mapping[str, float]
    """To the policy: those asked for, or the nearest of those that it was trained under."""

    @classmethod
    def of(cls, commands: WeightCommands, weights: Mapping[str, float]) -> CommandedWeights:
        """For what a user asks; raises ValueError as `WeightCommands.command`."""
        told = commands.weights_of(commands.command(weights))
        return cls(dict(commands.configured), {**commands.configured, **weights}, told)


def require_commands(commands: WeightCommands | None) -> WeightCommands:
    """The commands of a run that a user wants to command; raises ValueError if it has none."""
    if commands is None:
        raise ValueError(
            "it was trained with fixed weights, which cannot be commanded: train with "
            "--commandable-weights"
        )
    return commands
