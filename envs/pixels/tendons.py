"""The segments of which spatial tendons are drawn: along their path, or hanging where slack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Int

from envs.pixels.raycast.rays import compiled, parallel

TENDON_FIELDS = ("ten_wrapadr", "ten_wrapnum", "wrap_obj", "wrap_xpos", "ten_length")
"""MjData fields that tell where tendons run."""
SEGMENTS = 16
"""Of which a slack tendon's catenary is drawn."""
PULLEY = -2
"""Value of wrap_obj at a pulley, where a path breaks off."""
BISECTIONS = 40


@dataclass(frozen=True)
class Tendons:
    """The visible spatial tendons of a model."""

    index: Int[np.ndarray, "K"]
    first: Int[np.ndarray, "K"]
    """Of each tendon's segments."""
    slack_length: Float[np.ndarray, "K"]
    """Length at which a loosely hanging tendon is drawn, m; 0 for one that is always taut."""
    down: Float[np.ndarray, "3"]
    """Direction of gravity."""
    num_segments: int


def read_tendons(model: mujoco.MjModel, visible: list[int]) -> Tendons:
    """Tendons that are drawn; those between two sites with an upper limit and no spring hang."""
    first, total, slack = [], 0, []
    for tendon in visible:
        first.append(total)
        total += segments_of(model, tendon)
        hangs = (
            model.tendon_num[tendon] == 2
            and model.tendon_limited[tendon]
            and model.tendon_range[tendon, 0] == 0
            and model.tendon_stiffness[tendon] == 0
        )
        slack.append(float(model.tendon_range[tendon, 1]) if hangs else 0.0)
    gravity = np.array(model.opt.gravity, float)
    size = np.linalg.norm(gravity)
    return Tendons(
        np.array(visible, np.int64),
        np.array(first, np.int64),
        np.array(slack, float),
        gravity / size if size > 0 else np.array([0.0, 0.0, -1.0]),
        total,
    )


def segments_of(model: mujoco.MjModel, tendon: int) -> int:
    """Room for a tendon's segments."""
    return max(SEGMENTS, 2 * int(model.tendon_num[tendon]))


def trace_tendons(tendons: Tendons, data: Any, count: int) -> Float[np.ndarray, "N G 2 3"]:
    """Ends of all segments in N worlds, m; both alike where a segment is not needed."""
    ends = np.zeros((count, tendons.num_segments, 2, 3))
    if tendons.num_segments:
        points = np.ascontiguousarray(data.wrap_xpos).reshape(count, -1, 3)
        objects = np.ascontiguousarray(data.wrap_obj).reshape(count, -1)
        trace(
            tendons.index,
            tendons.first,
            tendons.slack_length,
            tendons.down,
            np.ascontiguousarray(data.ten_wrapadr),
            np.ascontiguousarray(data.ten_wrapnum),
            objects,
            points,
            np.ascontiguousarray(data.ten_length),
            ends,
        )
    return ends


@parallel
def trace(
    index: Any,
    first: Any,
    slack_length: Any,
    down: Any,
    addresses: Any,
    counts: Any,
    objects: Any,
    points: Any,
    lengths: Any,
    ends: Any,
) -> None:
    """Write the ends of all segments; see `trace_tendons`."""
    for n in range(ends.shape[0]):
        for k in range(index.shape[0]):
            tendon, at = index[k], first[k]
            start, count = addresses[n, tendon], counts[n, tendon]
            if count == 2 and lengths[n, tendon] < slack_length[k]:
                hang(points[n, start], points[n, start + 1], slack_length[k], down, ends[n], at)
                continue
            for i in range(start, start + count - 1):
                if objects[n, i] != PULLEY and objects[n, i + 1] != PULLEY:
                    ends[n, at, 0] = points[n, i]
                    ends[n, at, 1] = points[n, i + 1]
                    at += 1


@compiled
def hang(a: Any, b: Any, length: float, down: Any, ends: Any, first: int) -> None:
    """Write the segments of a catenary of a given length between two points.

    With horizontal distance h, drop v and the catenary's parameter s, s solves
    sqrt(length² - v²) = 2 s sinh(h / 2s).
    """
    drop = 0.0
    for c in range(3):
        drop += (b[c] - a[c]) * down[c]
    side = np.zeros(3)
    wide = 0.0
    for c in range(3):
        side[c] = b[c] - a[c] - drop * down[c]
        wide += side[c] * side[c]
    wide = math.sqrt(wide)
    previous = a.copy()
    if wide < 1e-3 * length:
        # Straight down from the upper end to a fold below the lower one, and up again.
        fold = 0.5 * (length + abs(drop)) if drop > 0 else 0.5 * (length - abs(drop))
        middle = a + fold * down
        ends[first, 0], ends[first, 1] = a, middle
        ends[first + 1, 0], ends[first + 1, 1] = middle, b
        return
    target = math.sqrt(length * length - drop * drop) / wide
    low, high = 1e-3, 50.0
    for _ in range(BISECTIONS):
        x = 0.5 * (low + high)
        if math.sinh(x) / x < target:
            low = x
        else:
            high = x
    scale = wide / (2.0 * low)
    # Lowest point, from a: where the curve is level.
    lowest = 0.5 * wide + scale * math.asinh(drop / (2.0 * scale * math.sinh(low)))
    base = math.cosh(lowest / scale)
    for i in range(SEGMENTS):
        x = wide * (i + 1) / SEGMENTS
        fall = scale * (base - math.cosh((x - lowest) / scale))
        point = a + side * (x / wide) + down * fall
        ends[first + i, 0], ends[first + i, 1] = previous, point
        previous = point
