"""What each skill earned and where it ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.evaluation.rollouts import Rollouts
from rl_info.skills import SkillSpec


def summarise_skills(rollouts: Rollouts, spec: SkillSpec) -> list[dict[str, Any]]:
    """One row for each distinct skill: skill, episodes, mean return, mean final position (m).

    A discrete skill is given by its index, a continuous one by its coordinates; an agent without
    skills has one row.
    """
    distinct, member = np.unique(rollouts.skills, axis=0, return_inverse=True)
    rows = [_row(rollouts, spec, skill, member == i) for i, skill in enumerate(distinct)]
    return sorted(rows, key=lambda row: row["skill"]) if spec.kind == "discrete" else rows


def _row(
    rollouts: Rollouts, spec: SkillSpec, skill: np.ndarray, members: np.ndarray
) -> dict[str, Any]:
    names: dict[str, Any] = {
        "none": None,
        "discrete": int(skill.argmax()) if spec.kind == "discrete" else None,
        "continuous": [float(part) for part in skill],
    }
    row = {
        "skill": names[spec.kind],
        "episodes": int(members.sum()),
        "mean_return": float(rollouts.returns[members].mean()),
    }
    if rollouts.positions is not None:
        final = rollouts.positions[members, -1].mean(axis=0)
        row["mean_final_position_m"] = [float(part) for part in final]
    return row
