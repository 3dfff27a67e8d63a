"""Small imagination learners, batches and runs that tests share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from plane_world import PlaneWorld

from agents.learners import ImaginationConfig, ImaginationLearner, RewardTerm
from agents.learners.sequences import Sequences
from agents.training.config import TrainConfig
from rl_info.dynamics import SIZES, WorldModelConfig
from rl_info.rewards import REWARDS, build_reward
from rl_info.rewards.base import RewardConfig, RewardContext
from rl_info.skills import SkillSpec

OBS, ACTION, FEATURE = 3, 2, SIZES["tiny"].feature
SKILL = SkillSpec("continuous", 2)
SIGNALS = {"gripper_object_distance": 1, "violation": 2, "object_position": 3}


def config(representation: str = "infopower", **fields: Any) -> ImaginationConfig:
    """Few units, short sequences and imagination."""
    small = {"hidden_dim": 16, "batch_size": 4, "sequence_length": 6, "horizon": 3}
    model = WorldModelConfig(representation=representation)
    return ImaginationConfig(**{"world_model": model, **small, **fields})


def learner(
    rewards: tuple[str, ...] = ("task",),
    *,
    skill: SkillSpec = SKILL,
    settings: dict[str, RewardConfig] | None = None,
    seed: int = 0,
    **fields: Any,
) -> ImaginationLearner:
    context = RewardContext(FEATURE, ACTION, skill, SIGNALS)
    terms = {}
    for name in rewards:
        chosen = (settings or {}).get(name, REWARDS[name].config())
        generator = torch.Generator().manual_seed(0)
        terms[name] = RewardTerm(build_reward(name, context, chosen, generator), chosen)
    return ImaginationLearner(OBS, ACTION, skill, terms, config(**fields), seed=seed)


def sequences(
    rows: int = 4, steps: int = 6, *, seed: int = 0, skill: SkillSpec = SKILL
) -> Sequences:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(rows, steps, *shape, generator=generator)

    is_first = torch.rand(rows, steps, generator=generator) < 0.15
    terminated = torch.zeros_like(is_first)
    terminated[:, :-1] = is_first[:, 1:]
    return Sequences(
        obs=draw(OBS),
        action=draw(ACTION).tanh(),
        reward=draw(),
        terminated=terminated,
        truncated=torch.zeros_like(is_first),
        is_first=is_first,
        skill=skill.sample(rows * steps, generator).view(rows, steps, skill.dim),
        signals={name: draw(width) for name, width in SIGNALS.items()},
    )


def run_config(**changes: Any) -> TrainConfig:
    """A run on points in the plane that takes a second: give `make_world` of it to the session."""
    from agents.training.defaults import default_config

    preset = default_config("infopower")
    return dataclasses.replace(
        preset,
        **{
            "observations": "state",
            "max_episode_steps": 10,
            "num_envs": 3,
            "total_steps": 120,
            "warmup_steps": 30,
            "update_ratio": 0.1,
            "replay_capacity": 60,
            "log_interval": 30,
            "eval_interval": 60,
            "eval_episodes": 2,
            "eval_video": False,
            "checkpoint_interval": 60,
            "torch_threads": 1,
            "num_threads": 1,
            "learner": dataclasses.replace(
                preset.learner, hidden_dim=16, batch_size=4, sequence_length=6, horizon=3,
                diagnostics_interval=2,
            ),
            **changes,
        },
    )  # fmt: skip


class ResumablePlane(PlaneWorld):
    """Points whose starts are part of the saved state."""

    def state_dict(self) -> dict[str, Any]:
        states = [each.bit_generator.state for each in self.random]
        return {**super().state_dict(), "random": states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.random = [np.random.default_rng() for _ in state["random"]]
        for each, saved in zip(self.random, state["random"], strict=True):
            each.bit_generator.state = saved


def plane(config: TrainConfig, num_envs: int, seed: int) -> PlaneWorld:
    """Stands in for `make_world`."""
    return ResumablePlane(num_envs, seed, steps=config.max_episode_steps or 20)
