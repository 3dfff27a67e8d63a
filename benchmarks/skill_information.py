"""I(S;Z) of trained skills, and of uniform random actions under the same skills.

    python benchmarks/skill_information.py runs/diayn runs/metra runs/slim

Every run folder is evaluated in its own environment by `rl-info evaluate`'s measure, once with its
policy and once with uniform random actions that know nothing of the skill: the interval of the
latter should cover 0. Writes skill_information.json and .png under results/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from contextlib import closing
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agents.evaluation.load import load_subject
from agents.evaluation.rollouts import UniformPolicy
from agents.evaluation.settings import Subject
from agents.evaluation.skill_episodes import collect_skill_episodes
from agents.evaluation.skill_information import skill_information
from agents.training.seeding import derive_seed

RESULTS = Path(__file__).parent / "results"
PLACE = "final_position"


def measure(subject: Subject, per_skill: int, seed: int) -> dict[str, Any]:
    """I(S;Z) in nats of the policy and of uniform random actions."""
    with closing(subject.make_world(1, seed)) as world:
        actions = math.prod(world.single_action_space.shape or ())
    # A stream of their own: the skills are drawn from the seed itself.
    random = dataclasses.replace(
        subject, policy=UniformPolicy(actions, derive_seed(seed, "actions"))
    )
    found = {
        name: skill_information(collect_skill_episodes(each, per_skill, seed), subject.skill, seed)
        for name, each in (("policy", subject), ("uniform_random_actions", random))
    }
    return {
        "agent": subject.label.agent,
        "env": subject.label.env,
        "env_steps": subject.label.env_steps,
        "run_seed": subject.label.seed,
        "skill": dataclasses.asdict(subject.skill),
        **{
            key: found["policy"][key]
            for key in ("episodes", "estimator", "ceiling_nats", "interval")
        },
        **{name: information["nats"] for name, information in found.items()},
    }


def plot(rows: list[dict[str, Any]]) -> Figure:
    """Where the agent, or on a table the first object, ended.

    Not how far objects went: most do not move under random actions, and of so many samples in one
    place KSG reads too much (0.10 nats).
    """
    figure = Figure(figsize=(7.2, 1.6 + 0.45 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for offset, colour, name in ((-0.12, "C0", "policy"), (0.12, "0.5", "uniform_random_actions")):
        shown = [row[name][PLACE] for row in rows]
        values = [each["value"] for each in shown]
        errors = [
            [max(each["value"] - each["low"], 0.0) for each in shown],
            [max(each["high"] - each["value"], 0.0) for each in shown],
        ]
        places = [index + offset for index in range(len(rows))]
        label = name.replace("_", " ")
        axes.errorbar(values, places, xerr=errors, fmt="o", color=colour, capsize=3, label=label)
    labels = [f"{row['agent']}, {row['env']}, seed {row['run_seed']}" for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.axvline(0.0, color="0.7", linewidth=0.8)
    axes.set(xlabel="I(final position; skill), nats, with 95% intervals")
    axes.legend(fontsize="small")
    axes.grid(axis="x", alpha=0.3)
    return figure


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", help="run folders of agents with skills")
    parser.add_argument("--per-skill", type=int, default=16, help="episodes of each skill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = [measure(load_subject(run), options.per_skill, options.seed) for run in options.runs]
    (RESULTS / "skill_information.json").write_text(json.dumps(rows, indent=2) + "\n")
    plot(rows).savefig(RESULTS / "skill_information.png", dpi=120)
    for row in rows:
        print(row["agent"], row["env"], row["policy"], row["uniform_random_actions"], sep="\n  ")


if __name__ == "__main__":
    main()
