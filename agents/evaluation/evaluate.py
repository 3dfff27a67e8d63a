"""The whole evaluation of a trained agent: numbers, pictures and videos in one folder."""

from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from agents.evaluation.coverage import AXES, state_coverage
from agents.evaluation.displacement_figure import displacement_figure
from agents.evaluation.figures import reward_figure, trajectory_figure
from agents.evaluation.goals import draw_goals, find_embedding, goal_signal, reach_goals
from agents.evaluation.information_figure import information_figure
from agents.evaluation.objects import OBJECTS, summarise_objects
from agents.evaluation.per_skill import summarise_skills
from agents.evaluation.rollouts import POSITION, Rollouts, UniformPolicy, collect_rollouts
from agents.evaluation.safety import VIOLATION, summarise_safety
from agents.evaluation.settings import EvaluationConfig, Scales, Subject
from agents.evaluation.skill_episodes import collect_skill_episodes
from agents.evaluation.skill_information import skill_information
from agents.evaluation.statistics import mean_interval
from agents.evaluation.success import SUCCESS, summarise_success
from agents.evaluation.video import record_grid, write_videos
from agents.training.files import replace_atomically
from agents.training.run_folder import versions
from envs.errors import RenderingError
from rl_info.skills import SkillSpec

REPORT = "report.json"
TRAJECTORIES = "trajectories.png"
REWARDS = "rewards.png"
DISPLACEMENTS = "displacements.png"
INFORMATION = "skill_information.png"
VIDEO = "skills"


def evaluate(
    subject: Subject, output_dir: Path, config: EvaluationConfig | None = None
) -> dict[str, Any]:
    """Write report.json, PNG and, where OpenGL works, GIF and MP4 to `output_dir`.

    Returns the report: returns and successes with intervals, figures of each skill, coverage beside
    that of uniform random actions, I(S;Z), what becomes of objects and of safety where the world
    tells, zero-shot goal reaching where a reward has a latent space for it, and the files written.
    Draws nothing from the policy's own generator. What cannot be measured here (no position signal,
    no OpenGL) is said in the report under the same key.
    """
    config = config or EvaluationConfig()
    scales = config.scales(subject.coverage_cell)
    output_dir.mkdir(parents=True, exist_ok=True)
    rollouts = skill_rollouts(subject, config)
    episodes = rollouts
    if config.episodes_per_skill and subject.skill.kind != "none":
        episodes = collect_skill_episodes(subject, config.episodes_per_skill, config.seed)
    baseline = _uniform_rollouts(subject, config)
    information = _skill_information(subject, episodes, config)
    report = {
        "agent": subject.label.agent,
        "env": subject.label.env,
        "env_steps": subject.label.env_steps,
        "run_seed": subject.label.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "skill": asdict(subject.skill),
        "weights": _weights(subject),
        "settings": asdict(config) | asdict(scales),
        "episodes": len(rollouts.lengths),
        "episode_steps": asdict(mean_interval(rollouts.lengths.astype(np.float64), config.seed)),
        "return": asdict(mean_interval(rollouts.returns, config.seed)),
        "success": _success(subject, rollouts, baseline),
        "per_skill": summarise_skills(rollouts, subject.skill),
        "coverage": _coverage(subject, rollouts, baseline, scales, config.seed),
        "skill_information": information,
        "objects": _objects(subject, episodes, baseline, scales, config.seed),
        "safety": _safety(subject, episodes, baseline, config.seed),
        "goal_reaching": _goal_reaching(subject, rollouts, config, scales),
        "figures": _write_figures(subject, rollouts, episodes, information, output_dir, scales),
        "video": _video(subject, output_dir, config),
    }
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    replace_atomically(output_dir / REPORT, text.encode())
    return report


def skill_rollouts(subject: Subject, config: EvaluationConfig) -> Rollouts:
    """The deterministic episodes that coverage, returns and figures are taken from."""
    generator = torch.Generator().manual_seed(config.seed)
    skills = subject.skill.spread(config.rollouts, generator)
    with closing(subject.make_world(config.rollouts, config.seed)) as world:
        return collect_rollouts(subject.policy, world, skills, seed=config.seed)


def _uniform_rollouts(subject: Subject, config: EvaluationConfig) -> Rollouts:
    """As many episodes of uniform random actions, from the same initial states."""
    with closing(subject.make_world(config.rollouts, config.seed)) as world:
        uniform = UniformPolicy(math.prod(world.single_action_space.shape or ()), config.seed)
        skills = torch.zeros(config.rollouts, 0)
        return collect_rollouts(uniform, world, skills, seed=config.seed)


def _weights(subject: Subject) -> dict[str, Any]:
    if subject.weights is None:
        return {"message": "the weights of this agent's rewards are fixed"}
    return asdict(subject.weights)


def _success(subject: Subject, rollouts: Rollouts, baseline: Rollouts) -> dict[str, Any]:
    if SUCCESS not in rollouts.signals:
        return {"message": _no_signal(subject, SUCCESS)}
    return {
        "policy": summarise_success(rollouts),
        "uniform_random_actions": summarise_success(baseline),
    }


def _coverage(
    subject: Subject, rollouts: Rollouts, baseline: Rollouts, scales: Scales, seed: int
) -> dict[str, Any]:
    if rollouts.positions is None or baseline.positions is None:
        return {"message": _no_signal(subject, POSITION)}
    cell = scales.cell_size
    each = [float(state_coverage(path[None], cell)) for path in rollouts.positions]
    return {
        "cells": state_coverage(rollouts.positions, cell),
        "cells_of_an_episode": asdict(mean_interval(np.array(each), seed)),
        "uniform_random_actions_cells": state_coverage(baseline.positions, cell),
        "cell_size_m": cell,
        "dimensions": min(rollouts.positions.shape[-1], AXES),
        "episodes": len(rollouts.positions),
    }


def _skill_information(
    subject: Subject, episodes: Rollouts, config: EvaluationConfig
) -> dict[str, Any]:
    if subject.skill.kind == "none":
        return {"message": "this agent has no skills"}
    if config.episodes_per_skill == 0:
        return {"message": "left out, as the settings say"}
    if episodes.positions is None:
        return {"message": _no_signal(subject, POSITION)}
    return skill_information(episodes, subject.skill, config.seed)


def _objects(
    subject: Subject, episodes: Rollouts, baseline: Rollouts, scales: Scales, seed: int
) -> dict[str, Any]:
    if OBJECTS not in episodes.signals:
        return {"message": _no_signal(subject, OBJECTS)}
    cell = scales.cell_size
    return {
        "skills": summarise_objects(episodes, subject.skill, cell, seed),
        "uniform_random_actions": summarise_objects(baseline, SkillSpec(), cell, seed),
    }


def _safety(subject: Subject, episodes: Rollouts, baseline: Rollouts, seed: int) -> dict[str, Any]:
    if VIOLATION not in episodes.signals:
        return {"message": _no_signal(subject, VIOLATION)}
    return {
        "skills": summarise_safety(episodes, seed),
        "uniform_random_actions": summarise_safety(baseline, seed),
    }


def _goal_reaching(
    subject: Subject, rollouts: Rollouts, config: EvaluationConfig, scales: Scales
) -> dict[str, Any]:
    embedding = find_embedding(subject.rewards)
    if embedding is None:
        return {"message": "no reward of this agent has a latent space in which goals are skills"}
    place = goal_signal(embedding)
    if place not in rollouts.signals:
        return {"message": _no_signal(subject, place)}
    if config.goals == 0:
        return {"message": "left out, as the settings say"}
    random = np.random.default_rng(config.seed)
    goals = draw_goals(rollouts, embedding, config.goals, random)
    # Other initial states than those of the episodes that the goals come from.
    seed = config.seed + config.rollouts
    with closing(subject.make_world(config.goals, seed)) as world:
        return reach_goals(
            subject.policy, world, subject.skill, embedding, goals, scales.goal_radii, seed
        )


def _write_figures(
    subject: Subject,
    rollouts: Rollouts,
    episodes: Rollouts,
    information: dict[str, Any],
    output_dir: Path,
    scales: Scales,
) -> dict[str, str]:
    figures: dict[str, Figure] = {}
    if rollouts.positions is not None:
        figures[TRAJECTORIES] = trajectory_figure(
            rollouts, subject.skill, subject.label, scales.cell_size
        )
    if "nats" in information:
        figures[INFORMATION] = information_figure(information, subject.label)
    if OBJECTS in episodes.signals:
        figures[DISPLACEMENTS] = displacement_figure(episodes, subject.skill, subject.label)
    if rollouts.positions is None or subject.skill.kind == "none":
        figures[REWARDS] = reward_figure(rollouts, subject.label)
    for name, figure in figures.items():
        figure.savefig(output_dir / name)
    return {Path(name).stem: name for name in figures}


def _video(subject: Subject, output_dir: Path, config: EvaluationConfig) -> dict[str, Any]:
    if not config.video:
        return {"files": [], "message": "left out, as the settings say"}
    generator = torch.Generator().manual_seed(config.seed)
    tiles = 4 if subject.skill.kind == "none" else config.video_tiles
    if subject.skill.kind == "discrete":
        tiles = min(tiles, subject.skill.dim)
    skills = subject.skill.spread(tiles, generator)
    try:
        with closing(subject.make_world(tiles, config.seed)) as world:
            pictures = record_grid(
                subject.policy,
                world,
                skills,
                subject.skill,
                seed=config.seed,
                frames=config.video_frames,
            )
    except RenderingError as error:
        return {"files": [], "message": f"no video: {error}"}
    paths = write_videos(pictures, output_dir / VIDEO)
    return {"files": [path.name for path in paths], "message": ""}


def _no_signal(subject: Subject, name: str) -> str:
    return f"{subject.label.env} has no side signal {name!r}"
