"""Settings of a preset agent, and of the demonstration that runs without any."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from agents.presets import find_preset
from agents.training.config import TrainConfig

DEMO_AGENT = "metra"
DEMO: Mapping[str, Any] = {
    "env": "gym/HalfCheetah-v5",
    "total_steps": 100_000,
}
"""What the demonstration changes in its preset so that it ends within five minutes on two cores."""


def default_config(agent: str) -> TrainConfig:
    """Settings of the preset `agent`; raises UsageError with the nearest name if there is none."""
    preset = find_preset(agent)
    return TrainConfig(
        agent=agent,
        skill=preset.skill,
        rewards=preset.rewards,
        sac=preset.sac,
        **preset.training,
    )


def demo_config() -> TrainConfig:
    """Settings of `rl-info train` without an agent."""
    return dataclasses.replace(default_config(DEMO_AGENT), **DEMO)
