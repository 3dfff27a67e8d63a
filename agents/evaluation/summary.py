"""The figures of a report that a person asks for first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Section = Mapping[str, Any]


def summarise(report: Section) -> list[str]:
    """A line each, with 95% intervals in brackets; nothing of signals that a world lacks."""
    returns = report["return"]
    lines = [
        f"{report['agent']} on {report['env']} after {report['env_steps']:,} env steps, "
        f"{report['episodes']} deterministic episodes",
        f"return: {interval(returns)} ({returns['confidence']:.0%} intervals)",
    ]
    sections: dict[str, Callable[[Section], list[str]]] = {
        "coverage": _coverage_lines,
        "skill_information": _information_lines,
        "goal_reaching": _goal_lines,
        "video": lambda section: [],
    }
    for name, show in sections.items():
        message = report[name].get("message")
        lines += [f"{name.replace('_', ' ')}: {message}"] if message else show(report[name])
    if "message" not in report["weights"]:
        lines.append(_weights_line(report["weights"]))
    optional = {"success": _success_lines, "objects": _object_lines, "safety": _safety_lines}
    for name, show in optional.items():
        if "message" not in report[name]:
            lines += show(report[name])
    return lines


def interval(figure: Section, form: str = ".1f") -> str:
    """A figure and its interval, as `3.1 [2.8, 3.4]`, in the given number format."""
    value = format(figure["value"], form)
    if figure["low"] is None:
        return value
    return f"{value} [{figure['low']:{form}}, {figure['high']:{form}}]"


def _weights_line(weights: Section) -> str:
    parts = []
    for name, asked in weights["asked"].items():
        told = weights["told"][name]
        nearest = "" if math.isclose(asked, told, rel_tol=1e-5) else f", told {told:.3g}"
        parts.append(f"{name} {asked:.3g} (configured {weights['configured'][name]:.3g}{nearest})")
    return f"commanded weights: {', '.join(parts)}"


def _coverage_lines(coverage: Section) -> list[str]:
    return [
        f"state coverage: {coverage['cells']} cells of {coverage['cell_size_m']:g} m, "
        f"{interval(coverage['cells_of_an_episode'])} an episode "
        f"(uniform random actions: {coverage['uniform_random_actions_cells']})"
    ]


def _information_lines(information: Section) -> list[str]:
    ceiling = information["ceiling_nats"]
    limit = "" if ceiling is None else f", at most {ceiling:.2f}"
    parts = [
        f"{name.replace('_', ' ')} {interval(figure, '.2f')} "
        f"(were skills ignored: {interval(information['nats_if_ignored'][name], '.2f')})"
        for name, figure in information["nats"].items()
    ]
    return [f"I(S;Z) in nats of {information['episodes']} episodes{limit}: {'; '.join(parts)}"]


def _goal_lines(goals: Section) -> list[str]:
    rates = [
        f"{interval(rate, '.0%')} of {rate['count']} reached within {radius} m"
        if rate
        else f"all begin within {radius} m"
        for radius, rate in goals["success_within_m"].items()
    ]
    return [f"{goals['goals']} zero-shot goals: {', '.join(rates)}"]


def _success_lines(success: Section) -> list[str]:
    texts = {
        name: f"{interval(shares['at_any_step'], '.0%')} of {shares['at_any_step']['count']} "
        f"episodes at any step, {interval(shares['at_last_step'], '.0%')} at the last"
        for name, shares in success.items()
    }
    return [
        f"success: {texts['policy']}",
        f"  uniform random actions: {texts['uniform_random_actions']}",
    ]


def _object_lines(objects: Section) -> list[str]:
    names = {"skills": "objects", "uniform_random_actions": "  uniform random actions"}
    return [f"{title}: {_objects_text(objects[name])}" for name, title in names.items()]


def _objects_text(objects: Section) -> str:
    parts = [
        f"moved {interval(objects['displacement_m'], '.3f')} m, beyond "
        f"{objects['moved_beyond_m']:g} m in {interval(objects['episodes_with_a_move'], '.0%')} "
        f"of {objects['episodes']} episodes, in {objects['directions']} of "
        f"{objects['directions_of']} directions"
    ]
    if "object_contact" in objects:
        contact = objects["object_contact"]
        parts.append(
            f"contact in {interval(contact['of_steps'], '.0%')} of steps and "
            f"{interval(contact['of_episodes'], '.0%')} of episodes"
        )
    return "; ".join(parts)


def _safety_lines(safety: Section) -> list[str]:
    texts = {
        name: f"{interval(figures['violations_per_1000_steps'])} violations per 1,000 steps, "
        f"mean {interval(figures['mean_violation'], '.3f')}"
        for name, figures in safety.items()
    }
    return [
        f"safety: {texts['skills']}",
        f"  uniform random actions: {texts['uniform_random_actions']}",
    ]
