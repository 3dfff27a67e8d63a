"""The task to plan in, with the frozen policy of a run in it."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agents.errors import UsageError
from agents.evaluation.load import load_subject
from agents.evaluation.rollouts import episode_steps
from agents.evaluation.settings import Subject, WorldFactory
from agents.planning.aim import SUCCESS, Aim, find_aim
from agents.planning.frozen_policy import FrozenPolicy, freeze
from agents.planning.settings import PlanConfig
from agents.training.assembly import make_world
from agents.training.collector import RememberingPolicy
from agents.training.config import TrainConfig
from agents.training.run_folder import read_config
from envs.backends.batch import BatchWorld


@dataclass(frozen=True)
class PlanningTask:
    """Everything about a run and a task that does not depend on how planning is done."""

    subject: Subject
    policy: FrozenPolicy
    aim: Aim
    make_world: WorldFactory
    env: str
    episode_steps: int
    radius: float | None
    """Distance in m that counts as success; None: what the task calls success."""
    signal_dims: dict[str, int]


def open_task(run_dir: Path, config: PlanConfig, checkpoint: Path | None = None) -> PlanningTask:
    """The agent of `run_dir` in the task that `config` names.

    Raises UsageError saying what to change if the agent has no skills, its observations or actions
    do not fit, the task has no place to bring to a goal, a skill does not fit an episode, or the
    simulator is asked for where worlds cannot be copied.
    """
    subject = load_subject(run_dir, checkpoint)
    if isinstance(subject.policy, RememberingPolicy):
        raise UsageError(
            f"{run_dir}: this agent acts on the latents of a world model; planning over skills "
            "needs an agent on state observations"
        )
    if subject.skill.kind == "none":
        raise UsageError(
            f"{run_dir} holds an agent without skills ({subject.label.agent}): planning needs one "
            "of skill discovery, such as slim or metra"
        )
    target = _target(read_config(run_dir), config)
    try:
        with (
            closing(subject.make_world(1, 0)) as trained,
            closing(make_world(target, 1, 0)) as world,
        ):
            policy = freeze(subject.policy, trained, world)
            aim, steps = find_aim(world), episode_steps(world)
            if config.model == "simulator" and not isinstance(world, BatchWorld):
                raise UsageError(
                    f"worlds of {target.env} run through an adapter and cannot be copied: use "
                    "--model learned"
                )
            if config.skill_steps > steps:
                raise UsageError(
                    f"skills of {config.skill_steps} steps do not fit episodes of {steps}: lower "
                    "--skill-steps"
                )
            dims, cell = world.signal_dims, world.coverage_cell
    except ValueError as error:
        raise UsageError(str(error)) from error
    radius = config.radius
    if radius is None and (aim.goal is None or SUCCESS not in dims):
        radius = cell
    return PlanningTask(
        subject,
        policy,
        aim,
        lambda num_envs, seed: make_world(target, num_envs, seed),
        target.env,
        steps,
        radius,
        dims,
    )


def _target(run: TrainConfig, config: PlanConfig) -> TrainConfig:
    """The settings that worlds of the task are made with."""
    env = config.env or run.env
    own = env == run.env
    return dataclasses.replace(
        run,
        env=env,
        env_options={**(run.env_options if own else {}), **config.env_options},
        max_episode_steps=config.max_episode_steps or (run.max_episode_steps if own else None),
        num_threads=config.num_threads,
    )
