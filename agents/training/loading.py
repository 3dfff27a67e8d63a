"""A trained agent from its run folder, ready to be evaluated."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from agents.evaluation.evaluate import Subject
from agents.evaluation.figures import RunLabel
from agents.learners.sac import MultiCriticSAC
from agents.training.assembly import build_learner, make_world, reward_context
from agents.training.checkpoint import load_checkpoint
from agents.training.config import TrainConfig
from agents.training.errors import CorruptRunError
from agents.training.run_folder import latest_checkpoint, read_config


def load_subject(folder: Path) -> Subject:
    """The agent in the newest checkpoint of the run in `folder`, and worlds like its own.

    Raises CorruptRunError naming the file that is missing, damaged or foreign, and ValueError if
    the environment of the run is not available here.
    """
    config = read_config(folder)
    path = latest_checkpoint(folder)
    checkpoint = load_checkpoint(path, ["learner"])
    with closing(make_world(config, 1, config.seed)) as world:
        learner = build_learner(config, reward_context(config, world))
    try:
        learner.load_state_dict(checkpoint.states["learner"])
    except (ValueError, KeyError, RuntimeError) as error:
        raise CorruptRunError(f"{path} does not belong to the run's settings: {error}") from error
    return subject_of(config, learner, checkpoint.step)


def subject_of(config: TrainConfig, learner: MultiCriticSAC, step: int) -> Subject:
    """`learner` after `step` env steps of the run with these settings, as evaluation wants it."""
    return Subject(
        policy=learner,
        skill=config.skill,
        rewards={name: each for name, each in learner.rewards.items()},
        make_world=partial(make_world, config),
        label=RunLabel(config.agent, config.env, step, config.seed),
    )
