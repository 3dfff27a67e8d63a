"""A picture of where each skill brings the objects."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from agents.evaluation.coverage import AXES
from agents.evaluation.figures import RunLabel, add_title, clean_axes, new_figure
from agents.evaluation.objects import object_displacements
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.skill_colours import add_colour_key, skill_colours
from rl_info.skills import SkillSpec


def displacement_figure(rollouts: Rollouts, spec: SkillSpec, label: RunLabel) -> Figure:
    """How far and where each object went on the floor, a dot for each, an arrow for a skill's mean.

    Arrows are drawn for discrete skills alone. Raises ValueError without the signal
    `object_position`.
    """
    moves = object_displacements(rollouts)
    figure = new_figure((6.4, 5.4), "compressed")
    mean = np.linalg.norm(moves, axis=-1).mean()
    add_title(
        figure, label, f"objects moved {100 * mean:.1f} cm in the mean of {len(moves)} episodes"
    )
    axes = figure.add_subplot()
    colours = skill_colours(rollouts.skills, spec)
    floor = moves[..., :AXES]
    axes.scatter(
        floor[..., 0].ravel(),
        floor[..., 1].ravel(),
        c=colours.repeat(floor.shape[1], axis=0),
        s=10,
        linewidths=0,
        alpha=0.7,
    )
    if spec.kind == "discrete":
        labels = rollouts.skills.argmax(axis=1)
        for skill in np.unique(labels):
            end = floor[labels == skill].mean(axis=(0, 1))
            colour = colours[labels == skill][0]
            axes.annotate(
                "", end, (0.0, 0.0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.6}
            )
    reach = max(float(np.abs(floor).max()) * 1.08, 1e-3)
    axes.set(xlabel="Δx (m)", ylabel="Δy (m)", xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_aspect("equal")
    clean_axes(axes)
    add_colour_key(axes, spec)
    return figure
