"""Puts the choice of a skill between a learner, its worlds and its batches."""

from __future__ import annotations

from agents.finetune.batches import BatchesAfterChoice
from agents.finetune.candidates import build_choice
from agents.finetune.choice import SkillChoice
from agents.finetune.collector import ChoosingCollector
from agents.learners import MultiCriticPPO, MultiCriticSAC
from agents.training.batches import Batches
from agents.training.collector import Collector
from agents.training.config import TrainConfig
from agents.training.contracts import Learner
from agents.training.replay import Replay
from agents.training.seeding import derive_seed
from envs.vector_world import VectorWorld


def collection(
    config: TrainConfig, world: VectorWorld, learner: Learner, replay: Replay, batches: Batches
) -> tuple[Collector, Batches, SkillChoice]:
    """What collects and what is learned from, where the settings start from another run.

    The observation normaliser of the learner holds from now on: the policy was learned in its
    units, and statistics that follow one skill would turn it into another policy. Raises ValueError
    as `build_choice` does, and TypeError for a learner that cannot rest its actor.
    """
    if not isinstance(learner, MultiCriticSAC | MultiCriticPPO):
        raise TypeError(f"{type(learner).__name__} cannot rest its actor")
    learner.state.holds = True
    choice = build_choice(config, world)
    seed = derive_seed(config.seed, "trials of skills")
    return (
        ChoosingCollector(world, replay, choice, seed),
        BatchesAfterChoice(
            batches, choice, learner, config.warmup_steps, config.finetune.actor_rest_steps
        ),
        choice,
    )
