"""Settings of a preset agent, and of the demonstration that runs without any."""

from __future__ import annotations

import dataclasses

from agents.presets import find_preset
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
        sac=preset.sac,
        **preset.training,
    )


def demo_config() -> TrainConfig:
    """Settings of `rl-info train` without an agent: METRA on HalfCheetah in about three minutes.

    Against the preset, φ sees the position alone, so that there is less to tell apart; everything
    learns faster and, as simulation is the cheaper part on few cores, from fewer steps.
    """
    preset = default_config(DEMO_AGENT)
    return dataclasses.replace(
        preset,
        total_steps=100_000,
        update_ratio=0.1,
        log_interval=2_000,
        eval_interval=20_000,
        checkpoint_interval=50_000,
        rewards={"metra": METRAConfig(input="position", learning_rate=1e-3)},
        sac=dataclasses.replace(
            preset.sac,
            actor_learning_rate=5e-4,
            critic_learning_rate=5e-4,
            temperature_learning_rate=5e-4,
        ),
    )
