"""What is trained: experiments, the arms that they compare, and what they are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SUCCESS = "eval/success_at_any_step"


@dataclass(frozen=True)
class Arm:
    """One curve of an experiment: an agent and its flags.

    `{root}` in a flag becomes the folder of all runs, `{seed}` the seed of the run.
    """

    agent: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """Arms that are compared on one task over the same seeds."""

    title: str
    metrics: Mapping[str, str]
    """Name of each metric that is followed, and its label on the plot."""
    arms: Mapping[str, Arm]
    random: Mapping[str, str] = field(default_factory=dict)
    """For a metric, where the evaluation's report has its value for uniform random actions."""


def _arms(agents: tuple[str, ...], steps: int) -> dict[str, Arm]:
    """Agents whose reward of the same name reads the position."""
    return {
        agent: Arm(agent, ("--total-steps", str(steps), f"--rewards.{agent}.input", "position"))
        for agent in agents
    }


_CELLS = {"eval/coverage_cells_1m": "x bins of 1 m in 48 deterministic episodes"}
_RANDOM_CELLS = {"eval/coverage_cells_1m": "coverage/uniform_random_actions_cells"}
_RETURN = {"eval/return": "return of 48 deterministic episodes"}
_SLIM_FLAGS = ("--total-steps", "200000", "--no-eval-video")
_SLIM = (*_SLIM_FLAGS, "--update-ratio", "0.2", "--skill-steps", "None")
_PUSH = ("--env", "tabletop/push", "--no-eval-video")

EXPERIMENTS: Mapping[str, Experiment] = {
    "cheetah": Experiment(
        "sac on dmc/cheetah-run (state)",
        _RETURN,
        {"sac": Arm("sac", ("--env", "dmc/cheetah-run", "--total-steps", "500000"))},
    ),
    "coverage": Experiment(
        "skill discovery on gym/HalfCheetah-v5, rewards that read the position",
        _CELLS,
        _arms(("metra", "csf", "lsd", "diayn"), 500_000),
        _RANDOM_CELLS,
    ),
    "coverage_full_state": Experiment(
        "skill discovery on gym/HalfCheetah-v5, rewards that read the full state",
        _CELLS,
        {agent: Arm(agent, ("--total-steps", "2000000")) for agent in ("metra", "diayn")},
        _RANDOM_CELLS,
    ),
    "precision": Experiment(
        "sac on dmc/cheetah-run at hidden 1024",
        _RETURN,
        {
            name: Arm(
                "sac",
                (
                    *("--env", "dmc/cheetah-run", "--total-steps", "20000"),
                    *("--learner.hidden-dim", "1024", "--eval-interval", "4000"),
                    *("--warmup-steps", "2000", "--no-eval-video"),
                    *("--update-ratio", "0.25", "--learner.precision", name),
                ),
            )
            for name in ("float32", "bfloat16")
        },
    ),
    "slim": Experiment(
        "SLIM on tabletop/explore: one critic per reward, one on the sum, discovery alone",
        {
            "eval/object_displacement_cells": "cells of 5 cm that objects are moved to",
            "eval/object_displacement_m": "mean displacement of the object, m",
            "eval/violations_per_1000_steps": "violations per 1,000 steps",
        },
        {
            "multi-critic": Arm("slim", _SLIM),
            "sum": Arm("slim", (*_SLIM, "--learner.sum-rewards")),
            # Its terms count about what they count in the multi-critic agent at its end, whose
            # running scales are some five times larger for reach and safety than for discovery.
            "balanced sum": Arm(
                "slim", (*_SLIM, "--learner.sum-rewards", "--rewards.lsd.weight", "5")
            ),
            "discovery": Arm(
                "slim", (*_SLIM, "--rewards.reach.weight", "0", "--rewards.safety.weight", "0")
            ),
        },
        {
            "eval/object_displacement_cells": "objects/uniform_random_actions/displacement_cells",
            "eval/object_displacement_m": "objects/uniform_random_actions/displacement_m/value",
            "eval/violations_per_1000_steps": (
                "safety/uniform_random_actions/violations_per_1000_steps/value"
            ),
        },
    ),
    "push_skills": Experiment(
        "SLIM on tabletop/explore with skills that take turns within an episode",
        {
            "eval/object_displacement_cells": "cells of 5 cm that objects are moved to",
            "eval/violations_per_1000_steps": "violations per 1,000 steps",
        },
        {"slim": Arm("slim", (*_SLIM_FLAGS, "--eval-interval", "25000"))},
    ),
    "push": Experiment(
        "tabletop/push: a controller over frozen SLIM skills, and sac from scratch",
        {SUCCESS: "share of episodes that succeed", "eval/return": "return"},
        {
            # Skills and controller have the same seed. The reward of a decision, which is the sum
            # of its steps, is scaled to about their mean. 48 episodes cannot tell 70% from 80%:
            # the standard error is 6 points.
            "over skills": Arm(
                "sac",
                (*_PUSH, "--eval-interval", "5000", "--eval-episodes", "256",
                 "--total-steps", "120000", "--warmup-steps", "2000",
                 "--rewards.task.scale", "0.3",
                 "--hierarchy.skills", "{root}/push_skills/slim-{seed}", "--hierarchy.steps", "3"),
            ),
            "from scratch": Arm(
                "sac", (*_PUSH, "--eval-interval", "10000", "--total-steps", "320000")
            ),
        },
        {SUCCESS: "success/uniform_random_actions/at_any_step/value"},
    ),
}  # fmt: skip
