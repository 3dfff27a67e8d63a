"""What the rewards and the learner of a run see of its worlds."""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium

from agents.learners import ImaginationConfig, KoopmanLQRConfig
from agents.training.config import TrainConfig
from envs.vector_world import VectorWorld
from rl_info.dynamics import SIZES
from rl_info.rewards.base import RewardContext


@dataclass(frozen=True)
class LatentContext(RewardContext):
    """Rewards see features of a world model, which sees observations."""

    observation: tuple[int, ...] = ()
    """(H, W, C) of uint8 images or (O,) of vectors."""


def observation_of(context: RewardContext) -> int | tuple[int, ...]:
    """What a learner is built for: the width of observations, or their shape."""
    return context.observation if isinstance(context, LatentContext) else context.obs_dim


def state_context(config: TrainConfig, world: VectorWorld) -> RewardContext:
    """Rewards and learner see the same flat observations; raises ValueError for others."""
    if config.observations == "pixels":
        raise ValueError(
            f"the agent {config.agent!r} reads no pictures: leave out --observations pixels, or "
            "choose an agent with a world model, such as infopower or visual-metra"
        )
    return RewardContext(
        obs_dim=_width(world.single_observation_space.shape),
        action_dim=_width(world.single_action_space.shape),
        skill=config.skill,
        signals=world.signal_dims,
    )


def latent_context(config: TrainConfig, world: VectorWorld) -> LatentContext:
    """Rewards see latents; raises ValueError for observations that no encoder reads."""
    assert isinstance(config.learner, ImaginationConfig)
    return _encoded_context(config, world, SIZES[config.learner.world_model.size].feature)


def koopman_context(config: TrainConfig, world: VectorWorld) -> LatentContext:
    """The learner encodes observations; raises ValueError for those that no encoder reads."""
    assert isinstance(config.learner, KoopmanLQRConfig)
    return _encoded_context(config, world, config.learner.dynamics.latent_dim)


def _encoded_context(config: TrainConfig, world: VectorWorld, width: int) -> LatentContext:
    if config.hierarchy.skills is not None or config.finetune.run is not None:
        raise ValueError(
            "--hierarchy.skills and --finetune.run are for agents that act on state observations, "
            "such as sac"
        )
    space = world.single_observation_space
    if not isinstance(space, gymnasium.spaces.Box):
        raise ValueError(
            "a world model reads pictures or vectors, not both: leave out --pixels.state"
        )
    shape = space.shape
    if len(shape) == 3:
        # Worlds show channels first, encoders read them last.
        shape = (*shape[1:], shape[0])
    return LatentContext(
        obs_dim=width,
        action_dim=_width(world.single_action_space.shape),
        skill=config.skill,
        signals=world.signal_dims,
        observation=shape,
    )


def _width(shape: tuple[int, ...] | None) -> int:
    if shape is None or len(shape) != 1:
        raise ValueError(f"this agent needs flat observations and actions, got the shape {shape}")
    return shape[0]
