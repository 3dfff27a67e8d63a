"""Puts the choice of a skill between a learner, its worlds and its batches."""

from __future__ import annotations

from agents.finetune.batches import BatchesAfterChoice
from agents.finetune.candidates import build_choice
from agents.finetune.choice import SkillChoice
from agents.finetune.collector import ChoosingCollector
from agents.training.batches import Batches
from agents.training.collector import Collector
from agents.training.config import TrainConfig
from agents.training.replay import Replay
from agents.training.seeding import derive_seed
from envs.vector_world import VectorWorld


def collection(
    config: TrainConfig, world: VectorWorld, replay: Replay, batches: Batches
) -> tuple[Collector, Batches, SkillChoice]:
    """What collects and what is learned from, where the settings start from another run.

    Raises ValueError as `build_choice` does.
    """
    choice = build_choice(config, world)
    seed = derive_seed(config.seed, "trials of skills")
    return (
        ChoosingCollector(world, replay, choice, seed),
        BatchesAfterChoice(batches, choice, config.warmup_steps),
        choice,
    )
