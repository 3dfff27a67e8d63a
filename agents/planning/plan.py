"""Planning with the skills of a run, measured against not planning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from agents.errors import UsageError
from agents.evaluation.goals import find_embedding
from agents.evaluation.rollouts import ChooseSkill, Rollouts, collect_rollouts
from agents.evaluation.statistics import mean_interval
from agents.planning.choosers import PlannedSkills, Plans, ZeroShotSkills
from agents.planning.figure import planning_figure
from agents.planning.goals import reads_goals
from agents.planning.knowledge import DYNAMICS, Knowledge, learn
from agents.planning.outcomes import Outcomes, nearer_than, outcomes_of, summarise_outcomes
from agents.planning.planners import PLANNERS, Model
from agents.planning.progress import progress
from agents.planning.settings import PlanConfig
from agents.planning.simulator import simulator_of
from agents.planning.skill_segments import RandomSkills
from agents.planning.task import PlanningTask
from agents.training.files import replace_atomically
from agents.training.run_folder import versions
from agents.training.seeding import derive_seed, torch_generator
from envs.vector_world import VectorWorld

PLANNING = "planning"
"""Folder of a run, or of its figures."""
REPORT = "planning.json"
FIGURE = "planning.png"
METHOD = "planning"
RANDOM, ONE_SKILL, ZERO_SHOT = "random_skills", "one_skill", "zero_shot"


def check_output(folder: Path) -> None:
    """Raise UsageError if `folder` holds results already, or anything else."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists and is not empty: choose another folder with --output, or remove it"
        )


def plan(task: PlanningTask, output_dir: Path, config: PlanConfig) -> dict[str, Any]:
    """Write planning.json, planning.png and the model's weights to the new folder `output_dir`.

    Every method has the same starts and goals: planning; skills drawn at random as often as a plan
    is made; one random skill for the whole episode, as the policy was trained; and, where the goal
    is a state of a reward's latent space, the zero-shot skill. Returns the report. Raises
    UsageError if the folder holds anything, before any work.
    """
    check_output(output_dir)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{output_dir} cannot be made: {error}; choose another --output"
        ) from error
    try:
        known = learn(task, output_dir / DYNAMICS, config)
    except ValueError as error:
        raise UsageError(str(error)) from error
    plans, found = _episodes(task, known, config)
    methods = {name: summarise_outcomes(each, config.seed) for name, each in found.items()}
    figure = planning_figure(
        methods,
        found[METHOD],
        plans,
        config.skill_steps,
        task.subject.label,
        _subtitle(task, config),
    )
    figure.savefig(output_dir / FIGURE)
    report = {
        "agent": task.subject.label.agent,
        "trained_in": task.subject.label.env,
        "env": task.env,
        "env_steps": task.subject.label.env_steps,
        "run_seed": task.subject.label.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings": asdict(config) | {"search": asdict(config.search())},
        "goal": {
            "of": task.aim.place,
            "from": task.aim.goal or "places visited under random skills",
            "success_within_m": task.radius,
        },
        "episode_steps": task.episode_steps,
        "collected_env_steps": known.data_steps,
        "held_out": known.errors,
        "foreseen_error_m": _foreseen_error(plans, found[METHOD], config),
        "methods": methods,
        "zero_shot": _zero_shot_message(task),
        "nearer_at_the_end_m": {
            f"than_{name}": nearer_than(found, METHOD, name, config.seed)
            for name in found
            if name != METHOD
        },
        "files": [FIGURE, *([DYNAMICS] if known.dynamics is not None else [])],
    }
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    replace_atomically(output_dir / REPORT, text.encode())
    return report


def _episodes(
    task: PlanningTask, known: Knowledge, config: PlanConfig
) -> tuple[Plans, dict[str, Outcomes]]:
    """The plans, and the episodes of every method, planning first."""
    seed = derive_seed(config.seed, "planning/episodes")
    decisions = -(-task.episode_steps // config.skill_steps)

    def outcomes(rollouts: Rollouts) -> Outcomes:
        return outcomes_of(rollouts, task.aim, known.drawn, task.radius)

    with (
        closing(task.make_world(config.episodes, seed)) as world,
        _model(task, known, world, config) as model,
        progress(f"planning {config.episodes} episodes", decisions, "decisions") as done,
    ):
        planned = PlannedSkills(
            model,
            PLANNERS[config.planner],
            config.search(),
            task.policy,
            task.subject.skill,
            task.aim,
            known.drawn,
            skill_steps=config.skill_steps,
            horizon=config.horizon,
            episode_steps=task.episode_steps,
            noise=config.noise,
            generator=torch_generator(config.seed, "planning/search"),
            on_decision=done,
        )
        found = {METHOD: outcomes(_run(task, world, planned, seed))}
    for name, choose in _baselines(task, known, config).items():
        with closing(task.make_world(config.episodes, seed)) as world:
            found[name] = outcomes(_run(task, world, choose, seed))
    return planned.plans, found


def _run(task: PlanningTask, world: VectorWorld, choose: ChooseSkill, seed: int) -> Rollouts:
    unused = torch.zeros(world.num_envs, task.subject.skill.dim)
    return collect_rollouts(task.policy, world, unused, seed=seed, choose_skill=choose)


@contextmanager
def _model(
    task: PlanningTask, known: Knowledge, world: VectorWorld, config: PlanConfig
) -> Iterator[Model]:
    if known.dynamics is not None:
        yield known.dynamics
        return
    with simulator_of(
        world,
        task.make_world,
        task.policy,
        task.aim,
        config.skill_steps,
        config.search().samples,
    ) as simulator:
        yield simulator


def _baselines(
    task: PlanningTask, known: Knowledge, config: PlanConfig
) -> Mapping[str, ChooseSkill]:
    def random(steps: int, part: str) -> RandomSkills:
        generator = torch_generator(config.seed, f"planning/{part}")
        return RandomSkills(task.subject.skill, config.episodes, steps, generator)

    found: dict[str, ChooseSkill] = {
        RANDOM: random(config.skill_steps, RANDOM),
        ONE_SKILL: random(task.episode_steps, ONE_SKILL),
    }
    embedding = find_embedding(task.subject.rewards)
    if embedding is not None and _zero_shot_message(task) is None:
        found[ZERO_SHOT] = ZeroShotSkills(
            embedding, task.policy, task.subject.skill, task.aim, known.drawn
        )
    return found


def _zero_shot_message(task: PlanningTask) -> str | None:
    """Why there is no zero-shot skill, or None if there is one."""
    embedding = find_embedding(task.subject.rewards)
    if embedding is None:
        return "no reward of this agent has a latent space in which goals are skills"
    return reads_goals(embedding, task.aim, task.signal_dims.get(embedding.state.source))


def _foreseen_error(plans: Plans, found: Outcomes, config: PlanConfig) -> dict[str, Any] | None:
    """Mean distance in m between where a plan's first skill was to lead and where it led.

    Means over the decisions of an episode, then over episodes; None where no skill was carried out
    to its end.
    """
    gaps: list[Float[np.ndarray, " N"]] = []
    for step, foreseen in zip(plans.steps, plans.foreseen, strict=True):
        after = step + config.skill_steps
        if after < found.places.shape[1]:
            gap = foreseen[:, 0].numpy() - found.places[:, after]
            gaps.append(np.linalg.norm(gap, axis=-1).astype(np.float64))
    return asdict(mean_interval(np.mean(gaps, axis=0), config.seed)) if gaps else None


def _subtitle(task: PlanningTask, config: PlanConfig) -> str:
    where = "" if task.env == task.subject.label.env else f"in {task.env}: "
    model = "skill dynamics learned" if config.model == "learned" else "the simulator as model"
    return (
        f"{where}{config.planner.upper()} over {config.horizon} skills of {config.skill_steps} "
        f"steps, {model}, {config.episodes} episodes"
    )
