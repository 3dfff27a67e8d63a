"""Builds worlds and learner from settings, for training and for evaluation alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

import envs
from agents.training.algorithms import ALGORITHMS, algorithm_name
from agents.training.config import TrainConfig
from agents.training.contexts import observation_of
from agents.training.contracts import Learner
from agents.training.reward_terms import build_terms
from agents.training.seeding import derive_seed
from envs.vector_world import VectorWorld
from rl_info.rewards.base import RewardContext


def make_world(config: TrainConfig, num_envs: int, seed: int) -> VectorWorld:
    """`num_envs` worlds of the run's task; raises ValueError for an unknown id or a bad option."""
    options: Mapping[str, Any] = config.env_options
    return envs.make_vec(
        config.env,
        num_envs=num_envs,
        seed=seed,
        backend=config.backend,
        max_episode_steps=config.max_episode_steps,
        num_threads=config.num_threads,
        resets=config.resets,
        pixels=config.pixels if config.observations == "pixels" else False,
        **options,
    )


def reward_context(config: TrainConfig, world: VectorWorld) -> RewardContext:
    """What the rewards of the run need to know of `world`, in which its learner acts.

    Raises ValueError for observations that the learner cannot read.
    """
    return ALGORITHMS[algorithm_name(config.learner)].context(config, world)


def build_learner(config: TrainConfig, context: RewardContext) -> Learner:
    """The run's learner with fresh parameters; raises ValueError for an unsuitable context."""
    rewards = build_terms(config, context)
    build = ALGORITHMS[algorithm_name(config.learner)].learner
    learner: Learner = build(
        observation_of(context),
        context.action_dim,
        config.skill,
        rewards,
        config.learner,
        seed=derive_seed(config.seed, "learner"),
        device=choose_device(config),
        commandable_weights=config.commandable_weights,
    )
    return learner


def choose_device(config: TrainConfig) -> torch.device:
    """The device that the settings ask for; raises ValueError for CUDA where torch has none."""
    available = torch.cuda.is_available()
    if config.device == "cuda" and not available:
        raise ValueError("device cuda: torch finds no CUDA device here; use --device cpu")
    name = config.device if config.device != "auto" else ("cuda" if available else "cpu")
    return torch.device(name)
