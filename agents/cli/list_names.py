"""`rl-info list`: what this version can train, where, and for which rewards."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping

from agents.errors import UsageError, nearest


def _agents() -> Mapping[str, str]:
    from agents.presets import PRESETS

    return {name: preset.description for name, preset in PRESETS.items()}


def _envs() -> Mapping[str, str]:
    from envs.registry import describe_tasks

    return describe_tasks()


def _rewards() -> Mapping[str, str]:
    from rl_info.rewards import REWARDS

    return {name: entry.description for name, entry in REWARDS.items()}


def _estimators() -> Mapping[str, str]:
    from rl_info.estimators import ESTIMATORS

    return {name: entry.description for name, entry in ESTIMATORS.items()}


def _distractors() -> Mapping[str, str]:
    from envs.pixels.distractors import describe_distractors

    return describe_distractors()


KINDS: dict[str, Callable[[], Mapping[str, str]]] = {
    "agents": _agents,
    "envs": _envs,
    "rewards": _rewards,
    "estimators": _estimators,
    "distractors": _distractors,
}

FOOTNOTES = {
    "envs": (
        "Any other dm_control task (dmc/DOMAIN-TASK) and any registered Gymnasium environment with "
        "Box spaces (gym/ID) runs through the adapter."
    ),
}


def run(arguments: list[str]) -> int:
    """Print the names of one kind with a line of description each, or as JSON."""
    parser = argparse.ArgumentParser(prog="rl-info list", description=__doc__)
    parser.add_argument("kind", help=", ".join(KINDS))
    parser.add_argument("--json", action="store_true", help="print a JSON object instead")
    options = parser.parse_args(arguments)
    if options.kind not in KINDS:
        raise UsageError(f"nothing is called {options.kind!r}; {nearest(options.kind, KINDS)}")
    names = KINDS[options.kind]()
    if options.json:
        print(json.dumps(dict(names), indent=2))
        return 0
    if not names:
        print(f"no {options.kind} in this version")
        return 0
    width = max(map(len, names))
    for name, description in names.items():
        print(f"{name:<{width}}  {description}")
    if options.kind in FOOTNOTES:
        print(f"\n{FOOTNOTES[options.kind]}")
    return 0
