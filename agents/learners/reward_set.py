"""The rewards of an agent: what they are worth and how they learn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.heads import Heads, SumHead, heads_of
from agents.learners.losses import Metrics
from agents.learners.readout import Readout
from agents.learners.reward_term import RewardTerm
from rl_info.rewards.base import RewardConfig
from rl_info.transitions import Transitions

SUM = "sum"
"""Name of the critic of all rewards together."""


class RewardSet:
    """The rewards of an agent, where they learn with their optimisers, for K critics.

    Each reward has a critic with its name, weight and discount: of its value, or of its successor
    features if it is linear in features and asks for them (see `LinearReward`). With `summed`, the
    weighted sum of all rewards has a single critic of its value called `sum` instead: what one
    critic each is compared with.

    With `skill_columns`, weights are commanded: of the skill of a batch only so many columns are
    the skill, which is all that rewards see of it, and K further ones hold ln(w / weight), the
    logarithm of what each step's own weight is to the one in the settings. A policy that sees them
    can be told the trade-off between its rewards (as in D3, a factorised PPO of CoRL 2025).

    Raises ValueError if there is no reward or no weight above 0, if rewards to sum differ in their
    discounts, or if weights are to be commanded of which fewer than two are above 0 or that are
    part of a sum.
    """

    def __init__(
        self,
        terms: Mapping[str, RewardTerm],
        betas: tuple[float, float],
        device: torch.device,
        summed: bool = False,
        skill_columns: int | None = None,
    ) -> None:
        configs = [term.config for term in terms.values()]
        if not any(config.weight > 0 for config in configs):
            raise ValueError("at least one reward with a weight above 0 is needed")
        if skill_columns is not None:
            _require_commandable(configs, summed)
        self.names = (SUM,) if summed else tuple(terms)
        self.modules = {name: term.module.to(device) for name, term in terms.items()}
        modules = list(self.modules.values())
        if summed:
            shares = torch.tensor([[config.weight for config in configs]], device=device)
            self._heads: Heads = SumHead(modules, shares)
            configs = [_sum_config(configs)]
        else:
            self._heads = heads_of(modules, device)
        self.outputs = self._heads.outputs
        self.weight = torch.tensor([config.weight for config in configs], device=device)
        discount = torch.tensor([config.discount for config in configs], device=device)
        self.discount = discount.repeat_interleave(self.outputs)
        self.normalise = torch.tensor([config.normalise for config in configs], device=device)
        self.commands = 0 if skill_columns is None else len(configs)
        """Columns of weights beside the skill: K, or 0 where they are not commanded."""
        self._skill_columns = skill_columns
        self.optimisers = {
            name: torch.optim.Adam(
                term.module.parameters(), lr=term.config.learning_rate, betas=betas, fused=True
            )
            for name, term in terms.items()
            if any(parameter.requires_grad for parameter in term.module.parameters())
        }

    def __len__(self) -> int:
        """K."""
        return len(self.names)

    def learn(self, batch: Transitions) -> Metrics:
        """One optimiser step for each reward that learns.

        Metrics are `loss/reward/<name>` and, for what the reward reports, `reward/<name>/…`.
        """
        metrics: Metrics = {}
        batch = self._without_weights(batch)
        for name, module in self.modules.items():
            loss, details = module.loss(batch)
            metrics |= {f"reward/{name}/{key}": value for key, value in details.items()}
            if name in self.optimisers:
                self.optimisers[name].zero_grad(set_to_none=True)
                loss.backward()
                self.optimisers[name].step()
                metrics[f"loss/reward/{name}"] = loss.detach()
        return metrics

    @torch.no_grad()
    def cumulants(self, batch: Transitions) -> Float[Tensor, "P B"]:
        """What each output of each critic is to predict the discounted sum of, for each step.

        Rewards, features of rewards, or the weighted sum of all: P = K · `outputs`.
        """
        return self._heads.cumulants(self._without_weights(batch))

    def readout(self, skill: Float[Tensor, "B Z"]) -> Readout:
        """How rewards are read from cumulants, and values from outputs, under these skills."""
        return self._heads.readout(skill[:, : self._skill_columns])

    def weights(self, skill: Float[Tensor, "B Z"]) -> Float[Tensor, "K *B"]:
        """The weights of all steps, (K,); of each with this skill, (K, B), if commanded."""
        if self._skill_columns is None:
            return self.weight
        return self.weight[:, None] * skill[:, self._skill_columns :].T.exp()

    def _without_weights(self, batch: Transitions) -> Transitions:
        if self._skill_columns is None:
            return batch
        return dataclasses.replace(batch, skill=batch.skill[:, : self._skill_columns])

    def state_dict(self) -> dict[str, Any]:
        """State of all rewards and optimisers, as tensors and plain containers."""
        return {
            "modules": nn.ModuleDict(self.modules).state_dict(),
            "optimisers": {name: each.state_dict() for name, each in self.optimisers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        nn.ModuleDict(self.modules).load_state_dict(state["modules"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])


def _require_commandable(configs: Sequence[RewardConfig], summed: bool) -> None:
    if summed:
        raise ValueError(
            "one critic on the sum of rewards knows one set of weights only: commandable weights "
            "need a critic for each reward (sum_rewards off)"
        )
    if sum(config.weight > 0 for config in configs) < 2:
        raise ValueError(
            "commandable weights trade rewards off against each other: at least two rewards with "
            "a weight above 0 are needed"
        )


def _sum_config(configs: Sequence[RewardConfig]) -> RewardConfig:
    """What the critic of a sum needs: the discount of all, and a scale if any of them has one."""
    discounts = {config.discount for config in configs}
    if len(discounts) > 1:
        raise ValueError(
            "one critic on the sum of rewards needs the same discount for all, "
            f"got {', '.join(map(str, sorted(discounts)))}"
        )
    return RewardConfig(
        discount=discounts.pop(), normalise=any(config.normalise for config in configs)
    )
