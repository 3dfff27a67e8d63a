"""The learning algorithms by name: settings, learner, and the experience it learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch

from agents.learners import (
    ImaginationConfig,
    ImaginationLearner,
    KoopmanLQR,
    KoopmanLQRConfig,
    MultiCriticPPO,
    MultiCriticSAC,
    PPOConfig,
    SACConfig,
)
from agents.learners.network_config import NetworkConfig
from agents.training.batches import Batches, RolloutBatches, SampledBatches
from agents.training.config import TrainConfig
from agents.training.contexts import (
    LatentContext,
    koopman_context,
    latent_context,
    state_context,
)
from agents.training.memory import require_memory
from agents.training.replay import Replay
from agents.training.replay_layout import ReplayLayout
from agents.training.schedule import UpdateClock
from agents.training.seeding import torch_generator
from agents.training.sequence_batches import SequenceBatches
from agents.training.sequence_replay import SequenceLayout, SequenceReplay
from envs.vector_world import VectorWorld
from rl_info.rewards.base import RewardContext

AnyReplay = Replay | SequenceReplay


def _step_replay(
    config: TrainConfig,
    context: RewardContext,
    skill_dim: int,
    signals: Mapping[str, int],
    device: torch.device,
) -> Replay:
    layout = ReplayLayout(context.obs_dim, context.action_dim, skill_dim, signals)
    capacity = ALGORITHMS[algorithm_name(config.learner)].capacity(config)
    return Replay(layout, config.num_envs, capacity, device)


@dataclass(frozen=True)
class Algorithm:
    """One learning algorithm."""

    config: type[NetworkConfig]
    """Its settings."""
    learner: Callable[..., Any]
    """Its learner, built from sizes, skill, rewards and settings."""
    capacity: Callable[[TrainConfig], int]
    """Env steps that must be kept for it."""
    batches: Callable[[TrainConfig, Any], Batches]
    """What it learns from."""
    replay: Callable[..., AnyReplay] = _step_replay
    """Where its experience is stored, for settings, context, skill width, signals and device."""
    context: Callable[[TrainConfig, VectorWorld], RewardContext] = state_context
    """What its rewards see of the worlds."""


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


def _sequence_replay(
    config: TrainConfig,
    context: RewardContext,
    skill_dim: int,
    signals: Mapping[str, int],
    device: torch.device,
) -> SequenceReplay:
    assert isinstance(context, LatentContext)
    layout = SequenceLayout(context.observation, context.action_dim, skill_dim, signals)
    rows = config.replay_capacity
    require_memory(rows * layout.bytes, rows, "--replay-capacity")
    return SequenceReplay(layout, config.num_envs, rows, device)


def _sequences(config: TrainConfig, replay: SequenceReplay) -> SequenceBatches:
    learner = config.learner
    assert isinstance(learner, (ImaginationConfig, KoopmanLQRConfig))
    if replay.length < learner.sequence_length:
        raise ValueError(
            f"a replay of {config.replay_capacity} observations of {config.num_envs} worlds never "
            f"holds {learner.sequence_length} of one world: raise --replay-capacity"
        )
    return SequenceBatches(
        replay,
        UpdateClock(config.update_ratio, config.warmup_steps),
        learner.batch_size,
        learner.sequence_length,
        torch_generator(config.seed, "batches"),
    )


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "sac": Algorithm(
            SACConfig, MultiCriticSAC, lambda config: config.replay_capacity, _sampled
        ),
        "ppo": Algorithm(PPOConfig, MultiCriticPPO, _rollout_capacity, _rollouts),
        "imagination": Algorithm(
            ImaginationConfig,
            ImaginationLearner,
            lambda config: config.replay_capacity,
            _sequences,
            _sequence_replay,
            latent_context,
        ),
        "koopman-lqr": Algorithm(
            KoopmanLQRConfig,
            KoopmanLQR,
            lambda config: config.replay_capacity,
            _sequences,
            _sequence_replay,
            koopman_context,
        ),
    }
)
"""Every learning algorithm by name."""


def algorithm_name(config: NetworkConfig) -> str:
    """Name of the algorithm that `config` belongs to; raises TypeError if there is none."""
    for name, algorithm in ALGORITHMS.items():
        if type(config) is algorithm.config:
            return name
    raise TypeError(f"no learning algorithm is configured by {type(config).__name__}")
