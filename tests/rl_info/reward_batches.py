"""Batches and contexts that the reward tests share."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from rl_info.rewards import RewardContext
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions


def context(skill: SkillSpec, obs_dim: int = 5, **signals: int) -> RewardContext:
    return RewardContext(obs_dim=obs_dim, action_dim=2, skill=skill, signals=signals)


def batch_of(
    obs: Tensor,
    next_obs: Tensor,
    skill: Tensor,
    reward: Tensor | None = None,
    signals: dict[str, Tensor] | None = None,
    next_signals: dict[str, Tensor] | None = None,
    action: Tensor | None = None,
) -> Transitions:
    rows = len(obs)
    never = torch.zeros(rows, dtype=torch.bool)
    return Transitions(
        obs=obs,
        action=torch.zeros(rows, 2) if action is None else action,
        reward=torch.zeros(rows) if reward is None else reward,
        next_obs=next_obs,
        terminated=never,
        truncated=never,
        skill=skill,
        signals=signals or {},
        next_signals=next_signals or {},
    )


def random_batch(spec: SkillSpec, rows: int = 32, obs_dim: int = 5, seed: int = 0) -> Transitions:
    generator = torch.Generator().manual_seed(seed)
    obs = torch.randn(rows, obs_dim, generator=generator)
    batch = batch_of(
        obs,
        obs + 0.3 * torch.randn(rows, obs_dim, generator=generator),
        spec.sample(rows, generator),
        reward=torch.randn(rows, generator=generator),
    )
    distance, next_distance, violation, next_violation = torch.rand(4, rows, 1, generator=generator)
    signals = {
        "position": obs[:, :2] * 3,
        "gripper_object_distance": distance,
        "violation": violation,
    }
    next_signals = {
        "position": obs[:, :2] * 3 + 1,
        "gripper_object_distance": next_distance,
        "violation": next_violation,
    }
    action = 2 * torch.rand(rows, 2, generator=generator) - 1
    return dataclasses.replace(batch, action=action, signals=signals, next_signals=next_signals)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
