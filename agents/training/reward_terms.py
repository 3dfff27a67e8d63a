"""Builds the rewards of a run, or says which environments have what they need."""

from __future__ import annotations

import dataclasses

import envs
from agents.learners.reward_term import RewardTerm
from agents.training.config import TrainConfig
from agents.training.seeding import torch_generator
from rl_info.rewards import build_reward
from rl_info.rewards.base import MissingSignalError, RewardConfig, RewardContext


def build_terms(config: TrainConfig, context: RewardContext) -> dict[str, RewardTerm]:
    """The run's rewards by name, with fresh parameters.

    Where the learner chooses skills, the discounts in the settings become those of a decision.

    Raises ValueError for an unsuitable context: where the environment lacks side signals, naming
    them all, the rewards that read them, and the native tasks that have every signal of the agent.
    """
    terms: dict[str, RewardTerm] = {}
    lacking: dict[str, MissingSignalError] = {}
    for name, per_step in config.rewards.items():
        settings = _per_decision(per_step, config)
        generator = torch_generator(config.seed, f"reward/{name}")
        try:
            terms[name] = RewardTerm(build_reward(name, context, settings, generator), settings)
        except MissingSignalError as error:
            lacking[name] = error
    if lacking:
        needed = {signal for term in terms.values() for signal in term.module.requires}
        needed.update(signal for error in lacking.values() for signal in error.requires)
        raise ValueError(_refusal(config.env, context, lacking, needed))
    return terms


def _per_decision(settings: RewardConfig, config: TrainConfig) -> RewardConfig:
    """The settings with a discount for the steps between two actions of the learner."""
    if config.hierarchy.skills is None:
        return settings
    return dataclasses.replace(settings, discount=settings.discount**config.hierarchy.steps)


def _refusal(
    env: str, context: RewardContext, lacking: dict[str, MissingSignalError], needed: set[str]
) -> str:
    wishes = "; ".join(
        f"the reward {name!r} needs {' and '.join(map(repr, error.missing))}"
        for name, error in lacking.items()
    )
    suitable = envs.tasks_with_signals(needed)
    advice = (
        f"choose another --env: {', '.join(suitable)}"
        if suitable
        else f"no native task has {' and '.join(map(repr, sorted(needed)))}"
    )
    return f"{env} has the signals {', '.join(context.signals) or 'none'}; {wishes}; {advice}"
