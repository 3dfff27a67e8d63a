"""The figures of a planning report that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.evaluation.summary import interval

Section = Mapping[str, Any]


def summarise_planning(report: Section) -> list[str]:
    """A line each, with 95% intervals in brackets."""
    settings = report["settings"]
    lines = [
        f"{report['agent']} of {report['trained_in']} after {report['env_steps']:,} env steps, "
        f"planning in {report['env']}: {settings['planner'].upper()}, {settings['model']} model, "
        f"{settings['horizon']} skills of {settings['skill_steps']} steps (95% intervals)"
    ]
    lines += _error_lines(report["held_out"], settings["skill_steps"])
    for name, method in report["methods"].items():
        rate = method["success"]
        success = "all begin in success" if rate is None else f"success {interval(rate, '.0%')}"
        lines.append(
            f"{name.replace('_', ' ')}: {success}, final distance "
            f"{interval(method['final_distance_m'], '.3f')} m, return "
            f"{interval(method['return'])}"
        )
    if report["zero_shot"] is not None:
        lines.append(f"zero shot: {report['zero_shot']}")
    return lines


def _error_lines(errors: Section, skill_steps: int) -> list[str]:
    if "message" in errors:
        return [f"model: {errors['message']}"]
    lines = []
    for skills, error in errors["place_m"].items():
        if error is not None:
            lines.append(
                f"held-out error after {int(skills) * skill_steps} steps: {error['model']:.4f} m "
                f"(nothing changes: {error['nothing_changes']:.4f} m)"
            )
    return lines
