"""A trained agent from its run folder, ready to be evaluated."""

from __future__ import annotations

from pathlib import Path

from agents.errors import UsageError
from agents.evaluation.figures import RunLabel
from agents.evaluation.settings import Subject
from agents.training.assembly import build_learner, make_world, reward_context
from agents.training.checkpoint import load_checkpoint
from agents.training.errors import CorruptRunError
from agents.training.run_folder import latest_checkpoint, read_config


def load_subject(run_dir: Path, checkpoint: Path | None = None) -> Subject:
    """The agent of `run_dir` as its newest checkpoint, or the given one, holds it.

    Raises UsageError naming the file if the folder is not that of a run, is damaged, or does not
    fit its environment.
    """
    config = read_config(run_dir)
    path = checkpoint or latest_checkpoint(run_dir)
    loaded = load_checkpoint(path, ["learner"])
    try:
        world = make_world(config, 1, config.seed)
        context = reward_context(config, world)
        coverage_cell = world.coverage_cell
        world.close()
        learner = build_learner(config, context)
    except ValueError as error:
        raise UsageError(f"{run_dir}: {error}") from error
    try:
        learner.load_state_dict(loaded.states["learner"])
    except (ValueError, KeyError, RuntimeError) as error:
        raise CorruptRunError(f"{path} does not belong to the run's settings: {error}") from error
    return Subject(
        policy=learner,
        skill=config.skill,
        rewards=learner.rewards,
        make_world=lambda num_envs, seed: make_world(config, num_envs, seed),
        label=RunLabel(config.agent, config.env, loaded.step, config.seed),
        coverage_cell=coverage_cell,
    )
