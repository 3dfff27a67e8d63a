"""Vectors seen from a body's frame, batch-first."""

from __future__ import annotations

from array_api_compat import array_namespace

from envs.tasks.base import Array


def to_local(vectors: Array, frames: Array) -> Array:
    """World `vectors` (N, 3) in the axes of `frames` (N, 9), rotation matrices row by row.

    On numpy this is one BLAS vector-matrix product a world, as `vector.dot(matrix)` is, and so
    has the same bits; a sum of products or an einsum rounds differently.
    """
    xp = array_namespace(vectors)
    matrices = xp.reshape(frames, (-1, 3, 3))
    return xp.matmul(vectors[:, None, :], matrices)[:, 0]
