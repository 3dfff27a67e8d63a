"""What becomes of objects: how far and where they go, and how often they are touched."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from agents.evaluation.coverage import AXES
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.statistics import mean_interval, rate_interval, ratio_interval
from rl_info.skills import SkillSpec

OBJECTS = "object_position"
"""The side signal (3K) with the centers of K objects, in metres."""
FLAGS = ("object_contact", "object_grasp", "object_fallen")
"""Side signals (K) that are 1 while something holds for an object, else 0."""
SECTORS = 8
"""Directions of displacement that are told apart, of 45° each."""


def object_displacements(rollouts: Rollouts) -> Float64[np.ndarray, "N K 3"]:
    """From the first to the last center of each object, in metres.

    Raises ValueError without the signal `object_position`.
    """
    centers = rollouts.signals.get(OBJECTS)
    if centers is None:
        raise ValueError(f"displacements need the signal {OBJECTS!r}")
    moved = centers[:, -1].astype(np.float64) - centers[:, 0]
    return moved.reshape(len(moved), -1, 3)


def displacement_cells(displacement: Float64[np.ndarray, "N K 3"], cell_size: float) -> int:
    """Cells of the floor relative to the start that objects moved beyond half a cell end in."""
    length = np.linalg.norm(displacement, axis=-1)
    moved = displacement[length > cell_size / 2][:, :AXES]
    return len(np.unique(np.round(moved / cell_size).astype(np.int64), axis=0))


def object_scalars(rollouts: Rollouts, cell_size: float) -> dict[str, float]:
    """Mean displacement in m and `displacement_cells`, to log; empty without the signal."""
    if OBJECTS not in rollouts.signals:
        return {}
    displacement = object_displacements(rollouts)
    return {
        "eval/object_displacement_m": float(np.linalg.norm(displacement, axis=-1).mean()),
        "eval/object_displacement_cells": float(displacement_cells(displacement, cell_size)),
    }


def summarise_objects(
    rollouts: Rollouts, spec: SkillSpec, cell_size: float, seed: int
) -> dict[str, Any]:
    """Displacement and contacts of all episodes, and of each discrete skill, with intervals.

    `displacement_m` is the mean over episodes and objects. An object counts as moved beyond half a
    coverage cell. `directions` counts the sectors of the compass, and `displacement_cells` the
    cells of the floor relative to the start, that moved objects end in: counts of these episodes,
    which grow with their number. Raises ValueError without the signal `object_position`.
    """
    displacement = object_displacements(rollouts)
    length = np.linalg.norm(displacement, axis=-1)
    moved = displacement[length > cell_size / 2][:, :AXES]
    angle = np.arctan2(moved[:, 1], moved[:, 0]) % (2 * np.pi)
    # Centred on the axes, so that pushes along them do not fall on an edge.
    sector = np.round(angle / (2 * np.pi / SECTORS)).astype(np.int64) % SECTORS
    episodes = len(displacement)
    report: dict[str, Any] = {
        "episodes": episodes,
        "objects": displacement.shape[1],
        "displacement_m": asdict(mean_interval(length.mean(axis=1), seed)),
        "moved_beyond_m": cell_size / 2,
        "episodes_with_a_move": asdict(
            rate_interval(int((length > cell_size / 2).any(axis=1).sum()), episodes)
        ),
        "directions": len(np.unique(sector)),
        "directions_of": SECTORS,
        "displacement_cells": displacement_cells(displacement, cell_size),
        "cell_size_m": cell_size,
        **summarise_flags(rollouts, seed),
    }
    if spec.kind == "discrete":
        report["per_skill"] = _per_skill(rollouts, displacement, spec, seed)
    return report


def summarise_flags(rollouts: Rollouts, seed: int) -> dict[str, Any]:
    """Share of steps, and of episodes, in which a flag holds for some object, by flag."""
    report = {}
    for name in FLAGS:
        if name in rollouts.signals:
            steps = _flagged_steps(rollouts, name)
            report[name] = {
                "of_steps": asdict(ratio_interval(steps, rollouts.lengths.astype(float), seed)),
                "of_episodes": asdict(rate_interval(int((steps > 0).sum()), len(steps))),
            }
    return report


def _flagged_steps(rollouts: Rollouts, name: str) -> Float64[np.ndarray, " N"]:
    """Steps of each episode after which the flag holds for some object."""
    flags = rollouts.signals[name][:, 1:] > 0
    running = np.arange(flags.shape[1]) < rollouts.lengths[:, None]
    return np.asarray((flags.any(axis=-1) & running).sum(axis=1), dtype=np.float64)


def _per_skill(
    rollouts: Rollouts, displacement: Float[np.ndarray, "N K 3"], spec: SkillSpec, seed: int
) -> list[dict[str, Any]]:
    labels = rollouts.skills.argmax(axis=1)
    contacts = "object_contact" in rollouts.signals
    share = _flagged_steps(rollouts, "object_contact") / rollouts.lengths if contacts else None
    rows = []
    for skill in range(spec.dim):
        members = labels == skill
        if not members.any():
            continue
        own = displacement[members]
        length = np.linalg.norm(own, axis=-1).mean(axis=1)
        row = {
            "skill": skill,
            "episodes": int(members.sum()),
            "displacement_m": asdict(mean_interval(length, seed)),
            "mean_displacement_m": own.mean(axis=0).tolist(),
        }
        if share is not None:
            row["contact_of_steps"] = asdict(mean_interval(share[members], seed))
        rows.append(row)
    return rows
