"""The learning algorithms by name: settings, learner, and the experience it learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agents.learners import MultiCriticPPO, MultiCriticSAC, PPOConfig, SACConfig
from agents.learners.network_config import NetworkConfig
from agents.training.batches import Batches, RolloutBatches, SampledBatches
from agents.training.config import TrainConfig
from agents.training.replay import Replay
from agents.training.schedule import UpdateClock
from agents.training.seeding import torch_generator


@dataclass(frozen=True)
class Algorithm:
    """One learning algorithm."""

    config: type[NetworkConfig]
    """Its settings."""
    learner: Callable[..., Any]
    """Its learner, built from sizes, skill, rewards and settings."""
    capacity: Callable[[TrainConfig], int]
    """Env steps that must be kept for it."""
    batches: Callable[[TrainConfig, Replay], Batches]
    """What it learns from."""


def _sampled(config: TrainConfig, replay: Replay) -> SampledBatches:
    assert isinstance(config.learner, SACConfig)
    return SampledBatches(
        replay,
        UpdateClock(config.update_ratio, config.warmup_steps),
        config.learner.batch_size,
        config.learner.n_step,
        torch_generator(config.seed, "batches"),
    )


def _rollouts(config: TrainConfig, replay: Replay) -> RolloutBatches:
    assert isinstance(config.learner, PPOConfig)
    if config.warmup_steps:
        raise ValueError("PPO learns from its own actions alone: use --warmup-steps 0")
    return RolloutBatches(replay, config.learner.rollout_length)


def _rollout_capacity(config: TrainConfig) -> int:
    assert isinstance(config.learner, PPOConfig)
    return config.learner.rollout_length * config.num_envs


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "sac": Algorithm(
            SACConfig, MultiCriticSAC, lambda config: config.replay_capacity, _sampled
        ),
        "ppo": Algorithm(PPOConfig, MultiCriticPPO, _rollout_capacity, _rollouts),
    }
)
"""Every learning algorithm by name."""


def algorithm_name(config: NetworkConfig) -> str:
    """Name of the algorithm that `config` belongs to; raises TypeError if there is none."""
    for name, algorithm in ALGORITHMS.items():
        if type(config) is algorithm.config:
            return name
    raise TypeError(f"no learning algorithm is configured by {type(config).__name__}")
