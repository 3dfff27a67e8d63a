"""The whole evaluation of a trained agent: numbers, pictures and videos in one folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from agents.evaluation.coverage import AXES, state_coverage
from agents.evaluation.figures import RunLabel, reward_figure, trajectory_figure
from agents.evaluation.goals import draw_goals, find_embedding, reach_goals
from agents.evaluation.per_skill import summarise_skills
from agents.evaluation.rollouts import Rollouts, SkillPolicy, UniformPolicy, collect_rollouts
from agents.evaluation.statistics import mean_interval
from agents.evaluation.video import record_grid, write_videos
from agents.training.files import replace_atomically
from agents.training.run_folder import versions
from envs.errors import RenderingError
from envs.vector_world import VectorWorld
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec

REPORT = "report.json"
TRAJECTORIES = "trajectories.png"
REWARDS = "rewards.png"
VIDEO = "skills"

WorldFactory = Callable[[int, int], VectorWorld]
"""Makes so many worlds, seeded with the second number."""


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of an evaluation. Raises ValueError naming a setting that is out of range."""

    rollouts: int = 48
    """Deterministic episodes, spread over the skills; METRA's protocol takes 48."""
    goals: int = 50
    """Goals of the goal-reaching test; 0 leaves it out."""
    goal_radii: tuple[float, ...] = (1.0, 3.0)
    """Distances in metres that count as reached."""
    cell_size: float = 1.0
    """Side of a coverage cell in metres."""
    video: bool = True
    """Record a video where OpenGL works."""
    video_tiles: int = 16
    """Worlds in the video at most."""
    video_frames: int = 60
    """Pictures in the video, about."""
    seed: int = 0
    """Seed of the worlds, the skills, the goals and the bootstrap."""

    def __post_init__(self) -> None:
        for name, least in (
            ("rollouts", 1), ("goals", 0), ("video_tiles", 1), ("video_frames", 1), ("seed", 0),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name, values in (("cell_size", [self.cell_size]), ("goal_radii", self.goal_radii)):
            if not values or not all(0 < value < math.inf for value in values):
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


@dataclass(frozen=True)
class Subject:
    """The agent to evaluate, and where it acts."""

    policy: SkillPolicy
    skill: SkillSpec
    rewards: Mapping[str, IntrinsicReward]
    make_world: WorldFactory
    label: RunLabel


def evaluate(
    subject: Subject, output_dir: Path, config: EvaluationConfig | None = None
) -> dict[str, Any]:
    """Write report.json, PNG and, where OpenGL works, GIF and MP4 to `output_dir`.

    Returns the report: returns with intervals, figures of each skill, coverage beside that of
    uniform random actions, zero-shot goal reaching where a reward has a latent space for it, and
    the files written. Draws nothing from the policy's own generator. What cannot be measured here
    (no position signal, no OpenGL) is said in the report under the same key.
    """
    config = config or EvaluationConfig()
    output_dir.mkdir(parents=True, exist_ok=True)
    rollouts = skill_rollouts(subject, config)
    report = {
        "agent": subject.label.agent,
        "env": subject.label.env,
        "env_steps": subject.label.env_steps,
        "run_seed": subject.label.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "skill": asdict(subject.skill),
        "settings": asdict(config),
        "episodes": len(rollouts.lengths),
        "episode_steps": asdict(mean_interval(rollouts.lengths.astype(np.float64), config.seed)),
        "return": asdict(mean_interval(rollouts.returns, config.seed)),
        "per_skill": summarise_skills(rollouts, subject.skill),
        "coverage": _coverage(subject, rollouts, config),
        "goal_reaching": _goal_reaching(subject, rollouts, config),
        "figures": _write_figures(subject, rollouts, output_dir, config),
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


def _coverage(subject: Subject, rollouts: Rollouts, config: EvaluationConfig) -> dict[str, Any]:
    if rollouts.positions is None:
        return {"message": _no_position(subject)}
    with closing(subject.make_world(config.rollouts, config.seed)) as world:
        uniform = UniformPolicy(math.prod(world.single_action_space.shape or ()), config.seed)
        skills = torch.zeros(config.rollouts, 0)
        baseline = collect_rollouts(uniform, world, skills, seed=config.seed)
    assert baseline.positions is not None
    return {
        "cells": state_coverage(rollouts.positions, config.cell_size),
        "uniform_random_actions_cells": state_coverage(baseline.positions, config.cell_size),
        "cell_size_m": config.cell_size,
        "dimensions": min(rollouts.positions.shape[-1], AXES),
        "episodes": len(rollouts.positions),
    }


def _goal_reaching(
    subject: Subject, rollouts: Rollouts, config: EvaluationConfig
) -> dict[str, Any]:
    embedding = find_embedding(subject.rewards)
    if embedding is None:
        return {"message": "no reward of this agent has a latent space in which goals are skills"}
    if rollouts.positions is None:
        return {"message": _no_position(subject)}
    if config.goals == 0:
        return {"message": "left out, as the settings say"}
    random = np.random.default_rng(config.seed)
    goals = draw_goals(rollouts, embedding, config.goals, random)
    # Other initial states than those of the episodes that the goals come from.
    seed = config.seed + config.rollouts
    with closing(subject.make_world(config.goals, seed)) as world:
        return reach_goals(
            subject.policy, world, subject.skill, embedding, goals, config.goal_radii, seed
        )


def _write_figures(
    subject: Subject, rollouts: Rollouts, output_dir: Path, config: EvaluationConfig
) -> dict[str, str]:
    figures: dict[str, Figure] = {}
    if rollouts.positions is not None:
        figures[TRAJECTORIES] = trajectory_figure(
            rollouts, subject.skill, subject.label, config.cell_size
        )
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


def _no_position(subject: Subject) -> str:
    return f"{subject.label.env} has no side signal 'position'"
