"""What a sweep over commanded weights measures at each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agents.evaluation.coverage import state_coverage
from agents.evaluation.objects import (
    OBJECTS,
    displacement_cells,
    object_displacements,
    summarise_objects,
)
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.safety import VIOLATION, summarise_safety
from agents.evaluation.statistics import Interval, mean_interval, ratio_interval
from rl_info.skills import SkillSpec

DISTANCE = "gripper_object_distance"
"""The side signal (1) with the distance from the gripper to the nearest object, in metres."""


@dataclass(frozen=True)
class Measure:
    """A figure with an interval, as it is found in a row of the report and shown to a person."""

    path: tuple[str, ...]
    """Keys that lead to it."""
    label: str
    """With its unit."""
    form: str
    """Number format."""


MEASURES = (
    Measure(("objects", "displacement_m"), "objects moved (m)", ".3f"),
    Measure(
        ("objects", "displacement_cells_of_a_round"), "cells that objects\nare moved to", ".1f"
    ),
    Measure(("gripper_object_distance_m",), "gripper to\nobject (m)", ".3f"),
    Measure(("safety", "violations_per_1000_steps"), "violations per\n1,000 steps", ".1f"),
    Measure(("coverage", "cells_of_a_round"), "cells visited", ".1f"),
    Measure(("return",), "mean return", ".1f"),
)
"""In the order in which they are shown."""


def measure(
    episodes: Rollouts, spec: SkillSpec, rounds: int, cell_size: float, seed: int
) -> dict[str, Any]:
    """The return, and what becomes of objects, safety and coverage where the world tells of them.

    Counts of cells grow with the number of episodes and have no interval of their own. So the
    episodes are taken in `rounds` equal runs, as one of each skill or as many random skills: a
    count is the mean over rounds. Coverage is left out where objects are told of: in worlds with
    them, the position is that of an object.
    """
    row: dict[str, Any] = {"return": asdict(mean_interval(episodes.returns, seed))}
    if OBJECTS in episodes.signals:
        moves = np.split(object_displacements(episodes), rounds)
        cells = _mean_count([displacement_cells(each, cell_size) for each in moves], seed)
        row["objects"] = {
            **summarise_objects(episodes, spec, cell_size, seed),
            "displacement_cells_of_a_round": asdict(cells),
        }
    elif episodes.positions is not None:
        paths = np.split(episodes.positions, rounds)
        cells = _mean_count([state_coverage(each, cell_size) for each in paths], seed)
        row["coverage"] = {"cells_of_a_round": asdict(cells), "cell_size_m": cell_size}
    if DISTANCE in episodes.signals:
        row["gripper_object_distance_m"] = asdict(_mean_distance(episodes, seed))
    if VIOLATION in episodes.signals:
        row["safety"] = summarise_safety(episodes, seed)
    return row


def look_up(row: Mapping[str, Any], each: Measure) -> Mapping[str, Any] | None:
    """The measure's figure in a row of the report; None if it has none."""
    found: Any = row
    for key in each.path:
        if key not in found:
            return None
        found = found[key]
    return dict(found)


def measures_of(rows: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """The measures that these rows have, without the return of a world that pays no reward."""
    present = [each for each in MEASURES if look_up(rows[0], each) is not None]
    paid = [each for each in present if each.path != ("return",) or _varies_from_zero(rows)]
    return paid or present


def _varies_from_zero(rows: Sequence[Mapping[str, Any]]) -> bool:
    ends = ("value", "low", "high")
    return any(row["return"][end] not in (0.0, None) for row in rows for end in ends)


def _mean_count(counts: list[int], seed: int) -> Interval:
    return mean_interval(np.array(counts, dtype=np.float64), seed)


def _mean_distance(episodes: Rollouts, seed: int) -> Interval:
    """Of the steps of all episodes."""
    distance = episodes.signals[DISTANCE][:, 1:, 0].astype(np.float64)
    running = np.arange(distance.shape[1]) < episodes.lengths[:, None]
    return ratio_interval(
        (distance * running).sum(axis=1), episodes.lengths.astype(np.float64), seed
    )
