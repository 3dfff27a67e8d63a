"""One colour for each skill, the same in every picture and video."""

from __future__ import annotations

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    ListedColormap,
    Normalize,
    hsv_to_rgb,
    to_rgba,
)
from matplotlib.figure import Figure

from rl_info.skills import SkillSpec

FEW = 10
"""Up to this many skills get colours that differ in hue alone."""
PLAIN = "#3b6fb6"
CIRCLE = SkillSpec("continuous", 2)


def discrete_colours(count: int) -> Float[np.ndarray, "K 4"]:
    """RGBA colours of K discrete skills."""
    if count <= FEW:
        return np.asarray(matplotlib.colormaps["tab10"](np.arange(count)))
    # The ends of the map are nearly black.
    return np.asarray(matplotlib.colormaps["turbo"](np.linspace(0.06, 0.96, count)))


def skill_values(skills: Float[np.ndarray, "N Z"], spec: SkillSpec) -> Float[np.ndarray, " N"]:
    """The number that a skill's colour shows: index, angle in [0, 2π), or first coordinate."""
    if spec.kind == "discrete":
        return skills.argmax(axis=1).astype(np.float64)
    if spec.dim == 2:
        return np.arctan2(skills[:, 1], skills[:, 0]) % (2 * np.pi)
    return skills[:, 0].astype(np.float64)


def skill_colours(skills: Float[np.ndarray, "N Z"], spec: SkillSpec) -> Float[np.ndarray, "N 4"]:
    """RGBA colours of the given skills; one colour for all where there are none."""
    if spec.kind == "none":
        return np.tile(to_rgba(PLAIN), (len(skills), 1))
    if spec.kind == "discrete":
        return discrete_colours(spec.dim)[skills.argmax(axis=1)]
    return np.asarray(_map(spec)(_scale(spec)(skill_values(skills, spec))))


def add_colour_key(axes: Axes, spec: SkillSpec) -> None:
    """A dial beside the axes for skills on the circle, a bar for others, nothing without skills."""
    if spec.kind == "none":
        return
    if spec.kind == "continuous" and spec.dim == 2:
        _add_dial(axes)
        return
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    if spec.kind == "continuous":
        mappable = ScalarMappable(_scale(spec), _map(spec))
        figure.colorbar(mappable, ax=axes, label="first coordinate of the skill", shrink=0.8)
        return
    listed = ListedColormap(discrete_colours(spec.dim).tolist())
    edges = np.arange(spec.dim + 1) - 0.5
    mappable = ScalarMappable(BoundaryNorm(edges, spec.dim), listed)
    every = -(-spec.dim // 16)
    ticks = np.arange(0, spec.dim, every)
    bar = figure.colorbar(mappable, ax=axes, label="skill", shrink=0.8, ticks=ticks)
    bar.ax.tick_params(length=0, labelsize=8)


def _add_dial(axes: Axes) -> None:
    dial = axes.inset_axes((1.04, 0.78, 0.22, 0.22), projection="polar")
    edges = np.linspace(0.0, 2 * np.pi, 181)
    shade = (edges[:-1] + edges[1:])[None] / 2
    dial.pcolormesh(edges, [0.6, 1.0], shade, cmap=_map(CIRCLE), norm=_scale(CIRCLE))
    dial.set(ylim=(0.0, 1.0), yticks=[], xticks=[])
    dial.spines[:].set_visible(False)
    dial.text(0.0, 0.0, "skill", ha="center", va="center", fontsize=8)


def _map(spec: SkillSpec) -> Colormap:
    if spec.dim != 2:
        return matplotlib.colormaps["viridis"]
    # A circle of hues without the glare of full saturation.
    hue = np.linspace(0.0, 1.0, 256, endpoint=False)
    parts = np.stack([hue, np.full_like(hue, 0.82), np.full_like(hue, 0.86)], axis=1)
    return ListedColormap(hsv_to_rgb(parts).tolist(), name="hues")


def _scale(spec: SkillSpec) -> Normalize:
    return Normalize(0.0, 2 * np.pi) if spec.dim == 2 else Normalize(-1.0, 1.0)
