"""Settings of a preset agent, and of the demonstration that runs without any."""

from __future__ import annotations

import dataclasses

from agents.presets import find_preset
from agents.presets.skill_discovery import REWARD_LEARNING_RATE
from agents.training.config import TrainConfig
from rl_info.rewards.metra import METRAConfig

DEMO_AGENT = "metra"


def default_config(agent: str) -> TrainConfig:
    """Settings of the preset `agent`; raises UsageError with the nearest name if there is none."""
    preset = find_preset(agent)
    return TrainConfig(
        agent=agent,
        skill=preset.skill,
        rewards=preset.rewards,
        learner=preset.learner,
        **preset.training,
    )


def demo_config() -> TrainConfig:
    """Settings of `rl-info train` without an agent: METRA on HalfCheetah in about three minutes.

    Against the preset, φ sees the position alone: with less to tell apart, far fewer steps show
    what the method does.
    """
    preset = default_config(DEMO_AGENT)
    return dataclasses.replace(
        preset,
        total_steps=100_000,
        log_interval=2_000,
        eval_interval=20_000,
        checkpoint_interval=50_000,
        rewards={"metra": METRAConfig(input="position", learning_rate=REWARD_LEARNING_RATE)},
    )
