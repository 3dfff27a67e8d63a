"""Pictures of what skills do, as matplotlib figures for files and TensorBoard alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from agents.evaluation.coverage import visited_cells
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.skill_colours import PLAIN, add_colour_key, skill_colours, skill_values
from rl_info.skills import SkillSpec

CELL_COLOUR = "#e9ecef"
GRID_COLOUR = "#d0d4d8"


@dataclass(frozen=True)
class RunLabel:
    """What a picture or report is of."""

    agent: str
    env: str
    env_steps: int
    """Env steps of training behind the policy."""
    seed: int = 0

    @property
    def title(self) -> str:
        """One line for the head of a figure."""
        return f"{self.agent} · {self.env} · {self.env_steps:,} env steps · seed {self.seed}"


def trajectory_figure(
    rollouts: Rollouts, spec: SkillSpec, label: RunLabel, cell_size: float = 1.0
) -> Figure:
    """Paths of the episodes coloured by skill: the floor from above, or x against time.

    The subtitle counts the cells of `cell_size` metres that are visited. Raises ValueError if the
    rollouts have no position.
    """
    positions = rollouts.positions
    if positions is None:
        raise ValueError("a trajectory figure needs the signal 'position'")
    cells, side = len(visited_cells(positions, cell_size)), f"{cell_size:g} m"
    if positions.shape[-1] > 1:
        # "compressed" keeps the key beside axes of equal aspect.
        figure, draw = new_figure((6.4, 5.4), "compressed"), _draw_plane
        what, size = "cells", f"{side} × {side}"
    else:
        figure, draw = new_figure((8.4, 4.6)), _draw_line
        what, size = "bins", side
    add_title(figure, label, f"{cells:,} {what} of {size} visited in {len(positions)} episodes")
    draw(figure, rollouts, positions, spec, cell_size)
    return figure


def reward_figure(rollouts: Rollouts, label: RunLabel) -> Figure:
    """Task reward at each step: the mean of the episodes still running, and their middle 80 %."""
    figure = new_figure((7.2, 4.2))
    mean, spread = rollouts.returns.mean(), rollouts.returns.std()
    add_title(
        figure, label, f"return {mean:,.1f} ± {spread:,.1f} over {len(rollouts.returns)} episodes"
    )
    axes = figure.add_subplot()
    steps = np.arange(rollouts.rewards.shape[1])
    running = steps < rollouts.lengths[:, None]
    rewards = np.where(running, rollouts.rewards, np.nan)[:, : rollouts.lengths.max()]
    steps = steps[: rollouts.lengths.max()] + 1
    low, high = np.nanpercentile(rewards, [10, 90], axis=0)
    axes.fill_between(
        steps, low, high, color=PLAIN, alpha=0.25, linewidth=0, label="10th–90th percentile"
    )
    axes.plot(steps, np.nanmean(rewards, axis=0), color=PLAIN, label="mean")
    axes.set(xlabel="time (env steps)", ylabel="task reward per step", xlim=(0, steps[-1]))
    axes.set_ylim(bottom=min(0.0, float(np.nanmin(low))))
    axes.legend(frameon=False, loc="lower right")
    clean_axes(axes)
    return figure


def _draw_line(
    figure: Figure,
    rollouts: Rollouts,
    positions: Float[np.ndarray, "N T1 D"],
    spec: SkillSpec,
    cell_size: float,
) -> None:
    colours = skill_colours(rollouts.skills, spec)
    with_skills = spec.kind != "none"
    if with_skills:
        axes, ends = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1.3])
    else:
        axes = figure.add_subplot()
    for path, length, colour in zip(positions[..., 0], rollouts.lengths, colours, strict=True):
        axes.plot(
            np.arange(length + 1), path[: length + 1], color=colour, linewidth=1.1, alpha=0.85
        )
    axes.axhline(0.0, color=GRID_COLOUR, linewidth=0.8, zorder=0)
    axes.set(xlabel="time (env steps)", ylabel="x (m)", xlim=(0, rollouts.lengths.max()))
    clean_axes(axes)
    if not with_skills:
        return
    final = positions[np.arange(len(positions)), rollouts.lengths, 0]
    values = skill_values(rollouts.skills, spec)
    ends.axhline(0.0, color=GRID_COLOUR, linewidth=0.8, zorder=0)
    ends.scatter(values, final, c=colours, s=26, edgecolors="white", linewidths=0.6, zorder=3)
    names = {"discrete": "skill", "continuous": "first coordinate of the skill"}
    circle = spec.kind == "continuous" and spec.dim == 2
    ends.set(xlabel="angle of the skill (rad)" if circle else names[spec.kind])
    ends.set_title("where each skill ends", fontsize=9)
    if spec.kind == "discrete":
        ends.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    clean_axes(ends)


def _draw_plane(
    figure: Figure,
    rollouts: Rollouts,
    positions: Float[np.ndarray, "N T1 D"],
    spec: SkillSpec,
    cell_size: float,
) -> None:
    axes = figure.add_subplot()
    for cell in visited_cells(positions, cell_size):
        corner = cell * cell_size
        axes.add_patch(
            Rectangle((corner[0], corner[1]), cell_size, cell_size, color=CELL_COLOUR, linewidth=0)
        )
    paths = [
        path[: length + 1, :2] for path, length in zip(positions, rollouts.lengths, strict=True)
    ]
    colours = skill_colours(rollouts.skills, spec)
    axes.add_collection(LineCollection(paths, colors=list(colours), linewidths=1.1, alpha=0.9))
    starts, ends = np.stack([path[0] for path in paths]), np.stack([path[-1] for path in paths])
    axes.scatter(
        ends[:, 0], ends[:, 1], c=colours, s=18, edgecolors="white", linewidths=0.5, zorder=3
    )
    axes.scatter(
        starts[:, 0].mean(),
        starts[:, 1].mean(),
        c="black",
        s=28,
        marker="+",
        linewidths=1.2,
        zorder=4,
    )
    reach = max(float(np.abs(positions[..., :2]).max()) * 1.08, cell_size)
    axes.set(xlabel="x (m)", ylabel="y (m)", xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_aspect("equal")
    clean_axes(axes)
    add_colour_key(axes, spec)


def new_figure(
    size: tuple[float, float], layout: Literal["constrained", "compressed"] = "constrained"
) -> Figure:
    """An empty figure of that size in inches, drawn without a display."""
    figure = Figure(figsize=size, dpi=150, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def add_title(figure: Figure, label: RunLabel, subtitle: str) -> None:
    """What the figure is of, and what it shows."""
    figure.suptitle(f"{label.title}\n{subtitle}", fontsize=10, linespacing=1.5)


def clean_axes(axes: Axes) -> None:
    """The look that all figures share."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.grid(color=GRID_COLOUR, linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)
