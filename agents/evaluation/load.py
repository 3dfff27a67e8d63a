"""A trained agent from its run folder, ready to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from agents.errors import UsageError
from agents.evaluation.commanded_policy import (
    CommandedWeights,
    require_commands,
    under_weights,
)
from agents.evaluation.figures import RunLabel
from agents.evaluation.settings import Subject
from agents.finetune.choice import SkillChoice
from agents.finetune.policy import HeldSkillPolicy
from agents.hierarchy.build import find_skills, policy_of_steps, world_of_decisions
from agents.training.acting import perceiving
from agents.training.assembly import build_learner, choose_device, make_world, reward_context
from agents.training.checkpoint import load_checkpoint
from agents.training.errors import CorruptRunError
from agents.training.run_folder import latest_checkpoint, read_config
from agents.training.seeding import derive_seed
from agents.training.weight_commands import weight_commands
from rl_info.skills import SkillSpec


def load_subject(
    run_dir: Path, checkpoint: Path | None = None, weights: Mapping[str, float] | None = None
) -> Subject:
    """The agent of `run_dir` as its newest checkpoint, or the given one, holds it.

    If its weights are commandable, it acts under the configured ones, or those in `weights`.

    Raises UsageError naming the file if the folder is not that of a run, is damaged, or does not
    fit its environment, and naming the weight that it cannot be commanded.
    """
    config = read_config(run_dir)
    path = checkpoint or latest_checkpoint(run_dir)
    holds = config.finetune.run is not None
    loaded = load_checkpoint(path, ["learner", *(["collector"] if holds else [])])
    commands = weight_commands(config)
    try:
        told = None
        if weights or commands is not None:
            told = CommandedWeights.of(require_commands(commands), weights or {})
        command = None if commands is None else commands.command(weights or {})
        skills = find_skills(config.hierarchy, run_dir, choose_device(config))
        task_world = make_world(config, 1, config.seed)
        coverage_cell = task_world.coverage_cell
        world = world_of_decisions(task_world, skills, config.hierarchy, config.seed)
        with closing(world):
            learner = build_learner(config, reward_context(config, world))
            acting = under_weights(learner, commands, command)
            policy = policy_of_steps(acting, skills, config.hierarchy, task_world)
            policy = perceiving(learner, policy, derive_seed(config.seed, "perception/evaluation"))
    except ValueError as error:
        raise UsageError(f"{run_dir}: {error}") from error
    try:
        learner.load_state_dict(loaded.states["learner"])
        if holds:
            choice = SkillChoice.restored(loaded.states["collector"]["skills"])
            policy = HeldSkillPolicy(policy, choice)
    except (ValueError, KeyError, RuntimeError) as error:
        raise CorruptRunError(f"{path} does not belong to the run's settings: {error}") from error
    agent = config.agent
    if skills is not None:
        agent = f"{agent} over skills of {skills.origin.config.agent}"
    if config.finetune.run is not None:
        agent = f"{agent} fine-tuned from {Path(config.finetune.run).name}"
    return Subject(
        policy=policy,
        skill=SkillSpec() if holds else config.skill,
        rewards=learner.rewards,
        make_world=lambda num_envs, seed: make_world(config, num_envs, seed),
        label=RunLabel(agent, config.env, loaded.step, config.seed),
        coverage_cell=coverage_cell,
        weights=told,
    )
