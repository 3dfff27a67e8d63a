"""What has to be known before the first plan: the model and the goals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from agents.errors import UsageError
from agents.planning.fit import fit_dynamics, held_out_errors
from agents.planning.goals import DrawnGoals, draw_goals
from agents.planning.progress import progress
from agents.planning.settings import PlanConfig
from agents.planning.skill_dynamics import SkillDynamics
from agents.planning.skill_segments import SkillSegments, collect_segments
from agents.planning.task import PlanningTask
from agents.training.seeding import derive_seed, torch_generator

DYNAMICS = "dynamics.safetensors"


@dataclass(frozen=True)
class Knowledge:
    """What is known before the first plan."""

    dynamics: SkillDynamics | None
    """None: the simulator is the model."""
    errors: dict[str, Any]
    """Held-out errors of the dynamics."""
    drawn: DrawnGoals | None
    """None: the task has goals of its own."""
    data_steps: int
    """Env steps that were collected for it."""


def learn(task: PlanningTask, weights: Path, config: PlanConfig) -> Knowledge:
    """Collect what is needed, learn the model if it is to be learned, save it at once to `weights`.

    Raises UsageError for a file of dynamics that does not fit, and ValueError for data that are too
    few to learn from.
    """
    given = None
    if config.dynamics_file is not None:
        given = known_dynamics(Path(config.dynamics_file), task, config.skill_steps)
        given.save(weights)
    learns = config.model == "learned" and given is None
    source = config.dynamics_file or "the simulator, which is exact"
    message = {"message": f"not measured here: the model is {source}"}
    if not learns and task.aim.goal is not None:
        return Knowledge(given, message, None, 0)
    # For goals alone, one round of episodes is enough.
    data = _collect(task, config.collect_steps if learns else 1, config)
    drawn = None if task.aim.goal else draw_goals(data, config.episodes, config.seed)
    steps = len(data.obs) * task.episode_steps
    if not learns:
        return Knowledge(given, message, drawn, steps)
    training, kept = data.split(
        config.dynamics.held_out, derive_seed(config.seed, "planning/split")
    )
    generator = torch_generator(config.seed, "planning/dynamics")
    with progress("learning skill dynamics", config.dynamics.gradient_steps, "steps") as done:
        model = fit_dynamics(
            training, config.skill_steps, config.dynamics, generator, task.policy.device, done
        )
    model.save(weights)
    errors = held_out_errors(model, kept, task.policy.parts, config.horizon)
    return Knowledge(model, errors, drawn, steps)


def _collect(task: PlanningTask, wanted: int, config: PlanConfig) -> SkillSegments:
    a_round = config.num_envs * task.episode_steps
    total = -(-wanted // a_round) * a_round
    with progress("collecting rollouts", total, "env-steps") as done:
        return collect_segments(
            task.policy,
            task.make_world,
            task.subject.skill,
            task.aim,
            num_envs=config.num_envs,
            env_steps=wanted,
            skill_steps=config.skill_steps,
            seed=derive_seed(config.seed, "planning/collection"),
            on_steps=done,
        )


def known_dynamics(path: Path, task: PlanningTask, skill_steps: int) -> SkillDynamics:
    """The skill dynamics in the file at `path`.

    Raises UsageError if it is missing, damaged, or of another task, agent or length of skills.
    """
    try:
        model = SkillDynamics.load(path)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise UsageError(f"{path} holds no skill dynamics: {error}") from error
    shape = model.shape
    found = shape.obs, shape.place, shape.skill, shape.skill_steps
    wanted = len(task.policy.columns), task.aim.width, task.subject.skill.dim, skill_steps
    if found != wanted:
        raise UsageError(
            f"{path} holds dynamics of other sizes (observation, place, skill, steps of a skill): "
            f"{found} instead of {wanted}"
        )
    return model.to(task.policy.device).requires_grad_(False)
