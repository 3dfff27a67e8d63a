"""All settings of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from agents.finetune.config import FinetuneConfig
from agents.hierarchy.config import HierarchyConfig
from agents.learners.config import SACConfig
from agents.learners.network_config import NetworkConfig
from envs.pixels.settings import PixelSettings
from rl_info.rewards.base import RewardConfig
from rl_info.skills import SkillSpec

OptionValue = bool | int | float | str
"""A task option as written on the command line."""


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run: an agent (learner, skill and rewards), its worlds, and the schedule.

    One env step is one step of one world. Raises ValueError for values that cannot work together.
    """

    agent: Annotated[str, tyro.conf.Suppress] = "sac"
    """Name of the preset that the other defaults come from."""
    env: str = "dmc/cheetah-run"
    """Environment: dmc/DOMAIN-TASK or gym/ID; `rl-info list envs` shows them."""
    env_options: Mapping[str, OptionValue] = field(default_factory=dict)
    """Options of the task as pairs, such as `--env-options terminate_when_unhealthy False`."""
    num_envs: int = 16
    """Worlds that are stepped together."""
    total_steps: int = 500_000
    """Env steps to train for, summed over worlds."""
    seed: int = 0
    """Seed of everything random; the same seed gives the same bits on the CPU."""
    backend: Literal["auto", "cpu", "warp"] = "auto"
    """What simulates the worlds: native threads on the CPU, or mujoco-warp on a GPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the learner computes; auto takes CUDA where torch finds it."""
    num_threads: int = 0
    """Threads that step the worlds; 0 for one a core."""
    torch_threads: int = 1
    """Threads that torch computes with; 0 for one a core. One is best for small networks."""
    max_episode_steps: int | None = None
    """Steps after which an episode is truncated; None for the environment's own limit."""
    resets: Literal["pool", "exact"] = "pool"
    """Take costly initial states from a pool drawn in advance, or simulate each anew."""
    observations: Literal["state", "pixels"] = "state"
    """What the agent observes: the task's own numbers, or pictures, which need a world model."""
    pixels: Annotated[PixelSettings, tyro.conf.AvoidSubcommands] = field(
        default_factory=PixelSettings
    )
    """What pictures are like, with `--observations pixels`."""

    update_ratio: float = 1.0
    """Learner updates per env step."""
    warmup_steps: int = 5_000
    """Env steps of uniform random actions before the first update."""
    replay_capacity: int = 1_000_000
    """Steps that the replay holds, each of as many env steps as an action is repeated."""

    log_interval: int = 1_000
    """Env steps between lines of the log; 0 for never."""
    eval_interval: int = 50_000
    """Env steps between evaluations; 0 for never."""
    eval_episodes: int = 48
    """Episodes of an evaluation, spread over the skills."""
    eval_video: bool = True
    """Record a video at each evaluation, where OpenGL works."""
    checkpoint_interval: int = 100_000
    """Env steps between checkpoints; 0 for one at the end only."""
    keep_checkpoints: int = 2
    """Checkpoints to keep; older ones are deleted."""

    skill: SkillSpec = field(default_factory=SkillSpec)
    """Skill variable that the policy is conditioned on."""
    skill_steps: int | None = None
    """Steps until a skill is drawn anew within an episode; None keeps it for the episode."""
    commandable_weights: bool = False
    """Draw the weights of the rewards anew with each skill and let the policy know them, so that
    `rl-info evaluate --weights` can command the trade-off."""
    weight_factors: tuple[float, float] = (0.25, 4.0)
    """Least and greatest factor of commandable weights, which are drawn log-uniformly."""
    hierarchy: HierarchyConfig = field(default_factory=HierarchyConfig)
    """Skills of another run that the learner chooses from instead of acting."""
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)
    """Another run whose policy this one starts from."""
    rewards: Mapping[str, RewardConfig] = field(default_factory=dict)
    """Rewards by name, with a critic each."""
    learner: NetworkConfig = field(default_factory=SACConfig)
    """The learning algorithm's settings, of the kind that the preset has."""

    def __post_init__(self) -> None:
        for name in ("num_envs", "total_steps", "eval_episodes", "keep_checkpoints"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in (
            "seed", "num_threads", "torch_threads", "update_ratio", "warmup_steps",
            "log_interval", "eval_interval", "checkpoint_interval",
        ):  # fmt: skip
            _require(getattr(self, name) >= 0, name, "at least 0", getattr(self, name))
        for name in ("max_episode_steps", "skill_steps"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, "at least 1", value)
        if self.finetune.run is not None and self.hierarchy.skills is not None:
            raise ValueError(
                "--finetune.run learns on from a policy and --hierarchy.skills freezes one: "
                "leave out one of them"
            )
        if self.finetune.run is not None and self.skill_steps is not None:
            raise ValueError("a fine-tuned agent holds one skill: leave out --skill-steps")
        if self.finetune.run is not None and self.commandable_weights:
            raise ValueError(
                "a fine-tuned agent is told no weights: leave out --commandable-weights"
            )
        low, high = self.weight_factors
        _require(
            0 < low <= 1 <= high < math.inf and low < high,
            "weight_factors", "positive and finite, the first at most 1, the second at least 1, "
            "and not both 1", self.weight_factors,
        )  # fmt: skip
        _require(
            self.replay_capacity >= self.num_envs,
            "replay_capacity", "at least num_envs", self.replay_capacity,
        )  # fmt: skip


def _require(condition: bool, name: str, bound: str, value: object) -> None:
    if not condition:
        raise ValueError(f"{name.replace('_', '-')} must be {bound}, got {value}")
