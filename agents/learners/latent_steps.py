"""Steps between latents, replayed or imagined, as the rewards see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from agents.learners.sequences import Sequences
from rl_info.dynamics import Latent, WorldModel
from rl_info.nn.truncated_normal import TruncatedNormal
from rl_info.transitions import Transitions

LOG_PROB = "policy_log_prob"
"""Beside the signals of imagined steps: log density of the action in nats, (B, 1)."""

Signals = Mapping[str, Tensor]


def replayed_steps(feature: Float[Tensor, "B T F"], batch: Sequences) -> Transitions:
    """All steps of a batch within an episode, between posterior features: at most B·(T − 1)."""
    within = ~batch.is_first[:, 1:]

    def after(value: Tensor) -> Tensor:
        return value[:, 1:][within]

    def before(value: Tensor) -> Tensor:
        return value[:, :-1][within]

    return Transitions(
        obs=before(feature),
        action=after(batch.action),
        reward=after(batch.reward),
        next_obs=after(feature),
        terminated=after(batch.terminated),
        truncated=after(batch.truncated),
        skill=after(batch.skill),
        signals={name: before(value) for name, value in batch.signals.items()},
        next_signals={name: after(value) for name, value in batch.signals.items()},
    )


@dataclass(frozen=True)
class Imagined:
    """H steps of a policy in a world model from N states; rows are time-major (h·N + n)."""

    feature: Float[Tensor, "G F"]
    """Features of all (H + 1)·N states."""
    skill: Float[Tensor, "G Z"]
    """The skill that each state's action follows."""
    drawn: Float[Tensor, "M A"]
    """Actions in the first H·N states."""
    steps: Transitions
    """The H·N steps."""
    goes_on: Float[Tensor, "H N"]
    """Probability that the episode goes on at the state each step leads to."""
    weight: Float[Tensor, "H N"]
    """Probability that each step is taken at all."""


def imagine(
    model: WorldModel,
    policy: Callable[[Tensor, Tensor], TruncatedNormal],
    read_signals: Callable[[Tensor], Signals],
    start: Latent,
    ended: Bool[Tensor, " N"],
    skill: Float[Tensor, "N Z"],
    horizon: int,
    generator: torch.Generator,
) -> Imagined:
    """Follow `policy` (of feature and skill) under each state's skill; without gradients.

    States in which the episode has `ended` weigh nothing. The task reward is the reward head's.
    """
    drawn, log_probs = [], []

    def act(feature: Tensor) -> Tensor:
        choice = policy(feature, skill)
        uniform = torch.rand(choice.mean.shape, generator=generator, device=feature.device)
        drawn.append(choice.sample(uniform))
        log_probs.append(choice.log_prob(drawn[-1]))
        return drawn[-1]

    states, _ = model.rssm.imagine(act, start, horizon, generator=generator, dtype=model.dtype)
    feature = states.feature.transpose(0, 1).flatten(0, 1)
    rows = len(ended)
    after = feature[rows:]
    draws = torch.cat(drawn)
    goes_on = model.continues(after, model.dtype).view(horizon, rows)
    signals = read_signals(feature)
    never = torch.zeros(len(draws), dtype=torch.bool, device=feature.device)
    steps = Transitions(
        obs=feature[:-rows],
        action=draws,
        reward=model.reward(after, model.dtype),
        next_obs=after,
        terminated=never,
        truncated=never,
        skill=skill.repeat(horizon, 1),
        signals={name: value[:-rows] for name, value in signals.items()}
        | {LOG_PROB: torch.cat(log_probs)[:, None]},
        next_signals={name: value[rows:] for name, value in signals.items()},
    )
    reached = torch.cat([(~ended).float()[None], goes_on[:-1]]).cumprod(dim=0)
    return Imagined(feature, skill.repeat(horizon + 1, 1), draws, steps, goes_on, reached)
