"""Light on a finite plane: found at the vertices of a grid, with values between them, as in OpenGL.

Each cell is two triangles that share the diagonal from its lower right to its upper left. Points of
a chunk come row by row, so that neighbours mostly lie in one triangle; such a run shares its
coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.pixels.raycast.chunks import (
    BLOCK,
    CHUNK,
    NORMAL_X,
    NORMAL_Y,
    NORMAL_Z,
    PART_RED,
    RED,
    U,
    V,
    X,
    Y,
    Z,
)
from envs.pixels.raycast.columns import GRID, SIZE
from envs.pixels.raycast.lighting import (
    casts,
    clip_part,
    light_by,
    light_without_shadow,
)
from envs.pixels.raycast.rays import ONE, ZERO, compiled
from envs.pixels.raycast.shapes import read_shape

KEY, RUN_KEY, RUN_START = 0 * CHUNK, 1 * CHUNK, 2 * CHUNK
"""Rows of whole numbers: each point's triangle; each run's, and its first point."""
ROW_KEYS = 1024
"""Keys of a row of cells; more than any grid has columns, twice."""


@compiled
def grid_line(table: Any, p: int, axis: int, line: int) -> Any:
    """Coordinate of a line of a plane's grid: the plane's edges, and even steps between them."""
    at, size = GRID + 3 * axis, table[p, SIZE + axis]
    if line == 0:
        return -size
    if line == int(table[p, at]):
        return size
    return table[p, at + 1] - size + np.float32(line - 1) * table[p, at + 2]


@compiled
def cell_of(place: Any, size: Any, cells: Any, outer: Any, inner: Any) -> Any:
    """The cell that holds a coordinate, its beginning and its width."""
    within = place + size - outer
    cell = min(np.floor(within / inner) + ONE, cells - ONE)
    cell = ZERO if within < ZERO else cell
    start = -size if cell == ZERO else outer - size + (cell - ONE) * inner
    edge = (cell == ZERO) | (cell == cells - ONE)
    return cell, start, outer if edge else inner


@compiled
def find_keys(table: Any, p: int, points: Any, whole: Any, n: int) -> None:
    """Write the key of each point's triangle: row, column, and whether it is the upper one."""
    wide, long = table[p, SIZE], table[p, SIZE + 1]
    columns, outer_u, inner_u = table[p, GRID], table[p, GRID + 1], table[p, GRID + 2]
    rows, outer_v, inner_v = table[p, GRID + 3], table[p, GRID + 4], table[p, GRID + 5]
    for k in range(n):
        column, left, width = cell_of(points[U + k], wide, columns, outer_u, inner_u)
        row, low, height = cell_of(points[V + k], long, rows, outer_v, inner_v)
        above = (points[U + k] - left) / width + (points[V + k] - low) / height >= ONE
        key = np.int32(row) * np.int32(ROW_KEYS) + np.int32(2) * np.int32(column)
        whole[KEY + k] = key + np.int32(1) if above else key


@compiled
def find_runs(whole: Any, n: int) -> int:
    """Write the runs of points in one triangle; their number."""
    count, last = 0, np.int32(-1)
    for k in range(n):
        key = whole[KEY + k]
        if key != last:
            whole[RUN_START + count], whole[RUN_KEY + count] = k, key
            count, last = count + 1, key
    whole[RUN_START + count] = n
    return count


@compiled
def corners(key: int) -> Any:
    """Columns and rows of a triangle's lower right, upper left, and remaining vertex."""
    row, rest = key // ROW_KEYS, key % ROW_KEYS
    column, above = rest // 2, rest % 2
    return column, row, above


@compiled
def light_corners(
    table: Any,
    p: int,
    lights: Any,
    shadows: bool,
    whole: Any,
    runs: int,
    vertices: Any,
    names: Any,
    stamps: Any,
    lit: Any,
) -> None:
    """Light the vertices of all runs' triangles that are not yet lit, into `lit` (V, 1 + L, 3).

    `stamps[0]` is this drawing's number; a vertex that bears it is lit. `vertices` is a chunk of
    its own, and `names` says which vertex each of its points is.
    """
    s = read_shape(table, p)
    across, count = int(table[p, GRID]) + 1, 0
    for run in range(runs):
        column, row, above = corners(whole[RUN_KEY + run])
        for corner in range(3):
            i = column + 1 if corner == 0 or (corner == 2 and above) else column
            j = row + 1 if corner == 1 or (corner == 2 and above) else row
            name = j * across + i
            if stamps[1 + name] == stamps[0]:
                continue
            stamps[1 + name] = stamps[0]
            a, b = grid_line(table, p, 0, i), grid_line(table, p, 1, j)
            vertices[X + count] = s.x + a * s.ux + b * s.vx
            vertices[Y + count] = s.y + a * s.uy + b * s.vy
            vertices[Z + count] = s.z + a * s.uz + b * s.vz
            names[count] = name
            count += 1
            if count == CHUNK:
                light_vertices(table, p, lights, shadows, vertices, names, count, lit)
                count = 0
    if count:
        light_vertices(table, p, lights, shadows, vertices, names, count, lit)


@compiled
def light_vertices(
    table: Any,
    p: int,
    lights: Any,
    shadows: bool,
    vertices: Any,
    names: Any,
    count: int,
    lit: Any,
) -> None:
    """Light a chunk of vertices."""
    s = read_shape(table, p)
    n = (count + BLOCK - 1) // BLOCK * BLOCK
    for k in range(n):
        vertices[NORMAL_X + k], vertices[NORMAL_Y + k], vertices[NORMAL_Z + k] = (
            s.wx,
            s.wy,
            s.wz,
        )
    for k in range(count, n):
        for row in (X, Y, Z):
            vertices[row + k] = vertices[row + count - 1]
    light_without_shadow(lights, table, p, shadows, vertices, n)
    for k in range(count):
        for c in range(3):
            lit[names[k], 0, c] = vertices[RED + c * CHUNK + k]
    for light in range(lights.shape[0]):
        if casts(lights, light, shadows):
            light_by(lights, light, table, p, vertices, n)
            clip_part(vertices, n)
            for k in range(count):
                for c in range(3):
                    lit[names[k], 1 + light, c] = vertices[PART_RED + c * CHUNK + k]


@compiled
def spread(
    table: Any,
    p: int,
    lit: Any,
    slot: int,
    whole: Any,
    runs: int,
    points: Any,
    out: int,
) -> None:
    """Write what lies between the vertices' colours, of one slot of `lit`, from row `out` on."""
    across = int(table[p, GRID]) + 1
    for run in range(runs):
        column, row, above = corners(whole[RUN_KEY + run])
        left, right = grid_line(table, p, 0, column), grid_line(table, p, 0, column + 1)
        low, high = grid_line(table, p, 1, row), grid_line(table, p, 1, row + 1)
        right_name, left_name = row * across + column + 1, (row + 1) * across + column
        name = (row + above) * across + column + above
        first, end = whole[RUN_START + run], whole[RUN_START + run + 1]
        u, v = (right, high) if above else (left, low)
        wide, tall = right - left, high - low
        for c in range(3):
            here = lit[name, slot, c]
            lower, upper = lit[right_name, slot, c], lit[left_name, slot, c]
            by_u = (here - upper) / wide if above else (lower - here) / wide
            by_v = (here - lower) / tall if above else (upper - here) / tall
            here -= by_u * u + by_v * v
            # Counted from 0, or the compiler makes no vectors.
            colours, part = points[out + c * CHUNK + first :], points[first:]
            for k in range(end - first):
                colours[k] = here + by_u * part[U + k] + by_v * part[V + k]
